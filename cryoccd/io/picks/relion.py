"""Picks from STAR files of RELION, of one table (3.0) or with optics groups (3.1 and later).

Either a table of many micrographs, such as particles.star, or a coordinate file that is named after
its micrograph, such as NAME.star or NAME_autopick.star. rlnCoordinateX counts the columns of the
micrograph from 0 in the centre of the first one; shifts of a refinement (rlnOriginXAngst) are not
added.
"""

import re
from pathlib import Path

import numpy as np

from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.micrographs import Picks, by_micrograph
from cryoccd.io.star import read_star_table

_COLUMNS = ("rlnCoordinateX", "rlnCoordinateY")
_NAME = "rlnMicrographName"
_PICKER = r"_(autopick|manualpick|topazpicks)$"  # what RELION's pickers add to the name


def read_star(path: Path) -> Picks:
    """Picks of one STAR file.

    Raises:
        CryoccdError: not a STAR file, no table with the coordinates, no rows, or no number.
    """
    table = read_star_table(path, _COLUMNS, may_be_empty=True)
    points_px = table[list(_COLUMNS)].to_numpy(np.float64)
    if _NAME in table.columns:
        return by_micrograph(path, table[_NAME], points_px)
    return {re.sub(_PICKER, "", image_stem(path.stem)): points_px}
