"""Where a foreign pick is, in pixels of its micrograph."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.io.image_header import ImageHeader


def centres_px(
    rows: pd.DataFrame,
    headers: dict[str, ImageHeader],
    pixel_size_A: float,
    scale: float = 1.0,
    flip_y: bool = False,
) -> NDArray[np.float64]:
    """(n, 2) x, y from the centre of pixel [0, 0]; NaN where there is no number.

    A shift of RELION (rlnOriginXAngst, in RELION 3.0 rlnOriginX in pixels of the particle's image)
    moves the image so that the particle comes to its centre: the particle is at the coordinate
    minus the shift.

    Args:
        rows: x_px, y_px, micrograph and the shifts, as gathered.
        headers: by name of the micrograph.
        pixel_size_A: of the micrographs.
        scale: pixels of the micrograph per pixel of the picks.
        flip_y: whether the picks count rows from the last one.
    """
    image_A = rows.get("image_pixel_size_A", pd.Series(np.nan, rows.index)).fillna(pixel_size_A)
    points = []
    for axis in "xy":
        shift_px = (rows[f"origin_{axis}_A"] + rows[f"origin_{axis}_px"] * image_A) / pixel_size_A
        at_px = rows[f"{axis}_px"] * scale - shift_px
        points.append(at_px.to_numpy(np.float64))
    x_px, y_px = points
    if flip_y:
        height = {name: header.shape_px[0] for name, header in headers.items()}
        y_px = rows["micrograph"].map(height).to_numpy(np.float64) - 1 - y_px
    return np.stack([x_px, y_px], axis=1)
