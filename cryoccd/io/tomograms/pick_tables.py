"""Particles of tomograms from CSV and STAR files.

CSV: columns `tomogram` or `experiment`, `label` or `particle_type`, and either x_A, y_A, z_A in
angstrom or x, y, z in units of `unit_A` (the table of the CZII challenge counts in 10 A); rot_deg,
tilt_deg and psi_deg where there are all three. STAR: rlnCoordinateX, Y, Z of particles of
rlnTomoName or rlnMicrographName, one class a file, which is named after it. RELION 4 and 5 count in
pixels of the unbinned tilt series, whose size their optics tell; older tables count in voxels.
Both count from the centre of voxel [0, 0, 0].
"""

from collections.abc import Mapping
from pathlib import Path, PurePath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.picks.relion import our_columns
from cryoccd.io.star import find_table, join_optics
from cryoccd.io.star_blocks import read_blocks
from cryoccd.io.tomograms.particles import ANGLES, POSITION, particle_rows
from cryoccd.io.tomograms.tomogram import TOMOGRAM_SUFFIXES, Tomogram

_TOMOGRAM = ("tomogram", "experiment")
_LABEL = ("label", "particle_type")
_XYZ = ["x", "y", "z"]
_COORDINATES = ("rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ")
_NAMES = ("rlnTomoName", "rlnMicrographName")
_SERIES_PIXEL = "rlnTomoTiltSeriesPixelSize"
_SHIFTS_A = ["rlnOriginXAngst", "rlnOriginYAngst", "rlnOriginZAngst"]
_BOX_TURN = "rlnTomoSubtomogramRot"


def read_csv_particles(
    path: Path, tomograms: Mapping[str, Tomogram], unit_A: float | None
) -> pd.DataFrame:
    """Particles of a CSV file.

    Args:
        path: the file.
        tomograms: by name; their voxels are the unit where `unit_A` is None.
        unit_A: what 1 in x, y, z is.

    Raises:
        CryoccdError: no such table, a missing column, or what is no number.
    """
    try:
        table = pd.read_csv(path, skipinitialspace=True, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not a readable CSV table ({reason})") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first of too many cells away
        raise CryoccdError(f"{path}: rows have more cells than line 1 has names; name each column")
    names = [_stem(name) for name in table[_one_of(path, table, _TOMOGRAM)]]
    labels = table[_one_of(path, table, _LABEL)].tolist()
    in_A = set(POSITION) <= set(table.columns)
    xyz = _numbers(path, table, POSITION if in_A else _XYZ)
    if not in_A:
        xyz = xyz * _units_A(names, tomograms, unit_A)
    posed = set(ANGLES) <= set(table.columns)
    return particle_rows(names, labels, xyz, _numbers(path, table, ANGLES) if posed else None)


def read_star_particles(
    path: Path, tomograms: Mapping[str, Tomogram], unit_A: float | None
) -> pd.DataFrame:
    """Particles of a STAR file; arguments and errors as `read_csv_particles`.

    The origin of a refinement is taken off. Angles that are relative to boxes with turns of their
    own (rlnTomoSubtomogramRot) are left out.
    """
    blocks = read_blocks(path)
    table = join_optics(path, find_table(path, blocks, _COORDINATES), blocks.get("optics"))
    name = next((column for column in _NAMES if column in table.columns), None)
    if name is None:
        raise CryoccdError(
            f"{path}: no column {' or '.join(_NAMES)}; say which tomogram each is of"
        )
    names = [_stem(str(written)) for written in table[name]]
    xyz = _numbers(path, table, list(_COORDINATES))
    if unit_A is None and _SERIES_PIXEL in table.columns:
        xyz_A = xyz * _numbers(path, table, [_SERIES_PIXEL])
    else:
        xyz_A = xyz * _units_A(names, tomograms, unit_A)
    if set(_SHIFTS_A) <= set(table.columns):
        xyz_A = xyz_A - _numbers(path, table, _SHIFTS_A)
    ours = our_columns(table)
    posed = set(ANGLES) <= set(ours.columns) and _BOX_TURN not in table.columns
    angles_deg = ours[ANGLES].to_numpy(np.float64) if posed else None
    return particle_rows(names, path.stem, xyz_A, angles_deg)


def _units_A(
    names: list[str], tomograms: Mapping[str, Tomogram], unit_A: float | None
) -> NDArray[np.float64]:
    """(n, 1) angstrom a unit; of a tomogram that is not there NaN, as it is refused or left out."""
    if unit_A is not None:
        return np.full((len(names), 1), unit_A)
    sizes = {name: tomogram.voxel_size_A for name, tomogram in tomograms.items()}
    return np.array([sizes.get(name, np.nan) for name in names]).reshape(-1, 1)


def _one_of(path: Path, table: pd.DataFrame, columns: tuple[str, ...]) -> str:
    found = [column for column in columns if column in table.columns]
    if len(found) != 1:
        has = " ".join(", ".join(map(str, table.columns)).split())[:80]
        raise CryoccdError(f"{path}: expected one column {' or '.join(columns)} (found {has})")
    return found[0]


def _numbers(path: Path, table: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        has = " ".join(", ".join(map(str, table.columns)).split())[:80]
        raise CryoccdError(f"{path}: no column {missing[0]} (found {has})")
    numbers = [pd.to_numeric(table[column], errors="coerce") for column in columns]
    values = np.stack([column.to_numpy(np.float64) for column in numbers], axis=1)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        raise CryoccdError(f"{path}: row {bad[0] + 1} has no numbers in {', '.join(columns)}")
    return values


def _stem(name: str) -> str:
    """Name of a tomogram without folder and suffix; other dots belong to the name."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in TOMOGRAM_SUFFIXES else path.name
