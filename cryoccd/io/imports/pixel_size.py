"""The one pixel size of a set, on which headers, optics and the picks' STAR file agree."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder import MicrographFolder
from cryoccd.io.image_header import ImageHeader

_TOLERANCE = 0.01


def set_pixel_size(
    folder: MicrographFolder,
    given_A: float | None,
    headers: dict[str, ImageHeader],
    rows: pd.DataFrame,
    picks: Path,
) -> float:
    """Pixel size of the micrographs; the STAR file of the picks tells it where nothing else does.

    Args:
        folder: the micrographs, opened with `given_A`.
        given_A: pixel size by the caller.
        headers: by name.
        rows: picks with micrograph_pixel_size_A and so on where they came from a STAR file.
        picks: for messages.

    Raises:
        CryoccdError: none is known, one is not above 0, or some differ by more than 1 %.
    """
    told = {
        "rlnMicrographPixelSize": _sizes(rows, "micrograph_pixel_size_A"),
        "rlnMicrographOriginalPixelSize": _sizes(rows, "movie_pixel_size_A"),
        "rlnImagePixelSize": _sizes(rows, "image_pixel_size_A"),
    }
    for name, sizes in told.items():
        if not ((sizes > 0) & np.isfinite(sizes)).all():
            raise CryoccdError(f"{picks}: {name} is {sizes[0]:g}, expected angstrom above 0")
        if len(sizes) and not sizes.max() / sizes.min() - 1 <= _TOLERANCE:
            raise CryoccdError(
                f"{picks}: {name} is {sizes.min():g} and {sizes.max():g} A in different optics "
                "groups, expected one; import the groups one by one"
            )
    told_A = told["rlnMicrographPixelSize"]
    known = [given_A, folder.known_optics.get("pixel_size_A")]
    known += [header.pixel_size_A or None for header in headers.values()]
    silent = all(size is None for size in known)
    size_A = float(told_A[0]) if silent and len(told_A) else folder.pixel_size_A
    for name, header in headers.items():
        _agree(str(folder.path(name)), "its header", header.pixel_size_A or size_A, size_A)
    for value in told_A:
        _agree(str(picks), "rlnMicrographPixelSize", value, size_A)
    for value in told["rlnMicrographOriginalPixelSize"]:
        # motion correction bins movies, so that micrographs may have larger pixels, never smaller
        _agree(str(picks), "rlnMicrographOriginalPixelSize", max(value, size_A), size_A)
    return size_A


def _sizes(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return np.unique(rows[column].dropna().to_numpy(float)) if column in rows else np.zeros(0)


def _agree(origin: str, name: str, value: float, size_A: float) -> None:
    if not abs(value / size_A - 1) <= _TOLERANCE:
        raise CryoccdError(
            f"{origin}: pixel size {value:g} A by {name}, but the set has {size_A:g} A; mend the "
            "wrong one"
        )
