"""Picks from CBOX files of crYOLO 1.8 and later: STAR syntax, block data_cryolo.

_CoordinateX and _CoordinateY are the corner of the box with the lowest column and row as stored
(the lower left one where row 0 is drawn at the bottom), so that its centre is half a box further.
"""

from pathlib import Path

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.table import PickTable, first_without, frame_of
from cryoccd.io.star import find_table
from cryoccd.io.star_blocks import read_blocks

_CORNER = ("CoordinateX", "CoordinateY")
_SIZE = ("Width", "Height")


def read_cbox(path: Path) -> PickTable:
    """Picks of one CBOX file, named after its micrograph, whatever their confidence.

    Raises:
        CryoccdError: no STAR file, or no block data_cryolo with corners and sizes.
    """
    blocks = read_blocks(path)
    if "cryolo" not in blocks:
        raise CryoccdError(
            f"{path}: no block data_cryolo; expected a CBOX file of crYOLO 1.8 or later"
        )
    table = find_table(path, {"cryolo": blocks["cryolo"]}, (*_CORNER, *_SIZE))
    corner_px = table[list(_CORNER)].to_numpy(np.float64)
    size_px = table[list(_SIZE)].to_numpy(np.float64)
    points_px = np.where(size_px > 0, corner_px + size_px / 2, np.nan)
    fault = first_without(points_px, ", ".join((*_CORNER, *_SIZE)))
    return PickTable(path, frame_of(points_px), image_stem(path.stem), fault)
