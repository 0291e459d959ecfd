"""Picks from STAR files of RELION, of one table (3.0) or with optics groups (3.1 and later).

Either a table of many micrographs, such as particles.star, or a coordinate file that is named after
its micrograph, such as NAME.star or NAME_autopick.star. rlnCoordinateX counts the columns of the
micrograph from 0 in the centre of the first one; shifts of a refinement (rlnOriginXAngst) stand in
columns of their own.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.table import PickTable
from cryoccd.io.star import find_table, join_optics

_X, _Y = "rlnCoordinateX", "rlnCoordinateY"
_NAME = "rlnMicrographName"
_PICKER = r"_(autopick|manualpick|topazpicks)$"  # what RELION's pickers add to the name
_ANGLE_LIMIT_DEG = 720  # pickers write -999 for an angle that they do not know
_FURTHER = {
    "rlnImageName": "image",
    "rlnOriginXAngst": "origin_x_A",
    "rlnOriginYAngst": "origin_y_A",
    "rlnOriginX": "origin_x_px",
    "rlnOriginY": "origin_y_px",
    "rlnAngleRot": "rot_deg",
    "rlnAngleTilt": "tilt_deg",
    "rlnAnglePsi": "psi_deg",
    "rlnClassNumber": "class_number",
    "rlnDefocusU": "defocus_u_A",
    "rlnDefocusV": "defocus_v_A",
    "rlnDefocusAngle": "astigmatism_deg",
    "rlnPhaseShift": "phase_shift_deg",
    "rlnVoltage": "voltage_kV",
    "rlnSphericalAberration": "cs_mm",
    "rlnAmplitudeContrast": "amplitude_contrast",
    "rlnBeamTiltX": "beam_tilt_x_mrad",
    "rlnBeamTiltY": "beam_tilt_y_mrad",
    "rlnMicrographPixelSize": "micrograph_pixel_size_A",
    "rlnMicrographOriginalPixelSize": "movie_pixel_size_A",
    "rlnImagePixelSize": "image_pixel_size_A",
}
"""Columns of RELION by ours; all but the first hold numbers."""


def picks_of_star(path: Path, blocks: dict[str, pd.DataFrame]) -> PickTable:
    """Picks of one STAR file, with those of our columns that it tells.

    origin_x_px counts pixels of the particle's image, image_pixel_size_A is their size.

    Raises:
        CryoccdError: no table with the coordinates, no rows where they name micrographs, or optics
            groups that data_optics lacks.
    """
    table = join_optics(path, find_table(path, blocks, (_X, _Y)), blocks.get("optics"))
    rows = our_columns(table).assign(x_px=table[_X], y_px=table[_Y])
    points_px = table[[_X, _Y]].to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(points_px).all(axis=1))
    fault = f"{_X} or {_Y} of row {bad[0] + 1} is no number; mend the file" if len(bad) else None
    if _NAME in table.columns:
        return PickTable(path, rows.assign(micrograph=table[_NAME]), fault=fault)
    return PickTable(path, rows, re.sub(_PICKER, "", image_stem(path.stem)), fault)


def our_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Angles, optics, shifts and sizes of a table of RELION by our names, where it has them."""
    rows = table[[name for name in _FURTHER if name in table.columns]].rename(columns=_FURTHER)
    for column in ("rot_deg", "tilt_deg", "psi_deg"):
        if column in rows:
            rows[column] = rows[column].where(rows[column].abs() <= _ANGLE_LIMIT_DEG)
    if {"rlnDetectorPixelSize", "rlnMagnification"} <= set(table.columns):  # RELION 3.0
        with np.errstate(divide="ignore", invalid="ignore"):
            size_A = table["rlnDetectorPixelSize"] * 1e4 / table["rlnMagnification"]
        rows["image_pixel_size_A"] = rows.get("image_pixel_size_A", size_A)
    return rows
