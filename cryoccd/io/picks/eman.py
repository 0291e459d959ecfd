"""Picks from box files of EMAN 1 and 2: lines of x, y, width and height.

x and y are the first column and row of the box, counted in the order in which the file stores them:
as EMAN draws row 0 at the bottom, they are its lower left corner. The centre is column width // 2
of the box, as RELION takes it.
"""

from pathlib import Path

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.table import PickTable, frame_of


def read_box(path: Path) -> PickTable:
    """Picks of one box file, named after its micrograph; an empty one has none.

    Raises:
        CryoccdError: lines of something else than four numbers.
    """
    try:
        lines = path.read_text(encoding="utf8").splitlines()
        values = [[float(word) for word in line.split()[:4]] for line in lines if line.strip()]
        rows = np.array(values, dtype=np.float64).reshape(len(values), 4)
    except ValueError as error:  # of text, of a number, of the shape
        reason = " ".join(str(error).split())
        raise CryoccdError(
            f"{path}: not an EMAN box file ({reason}); expected x y width height in each line"
        ) from error
    with np.errstate(invalid="ignore"):  # infinite ones are bad below
        points_px = rows[:, :2] + rows[:, 2:] // 2
    bad = ~np.isfinite(rows).all(axis=1) | (rows[:, 2:] <= 0).any(axis=1)
    points_px[bad] = np.nan
    fault = None
    if bad.any():
        found = " ".join(f"{value:g}" for value in rows[bad][0])
        fault = f"a box of {found}, expected x y width height with sizes above 0"
    return PickTable(path, frame_of(points_px), image_stem(path.stem), fault)
