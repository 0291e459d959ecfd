"""The table of particles of tomograms, whatever told them.

One row a particle: `tomogram`, `label` (its class), `conformation` (0 for a rigid one), the centre
`x_A`, `y_A`, `z_A` in angstrom from the centre of voxel [0, 0, 0], and `rot_deg`, `tilt_deg`,
`psi_deg`, RELION's ZYZ angles whose matrix A takes the point c of the map to A c from the centre;
NaN where the pose is not known.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.io.tomograms.tomogram import Tomogram

POSITION = ["x_A", "y_A", "z_A"]
ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]
PARTICLE_TABLE = ("tomogram", "label", "conformation", *POSITION, *ANGLES)
"""Columns of the table."""

_ROTATION = 1e-2


def particle_rows(
    tomogram: str | Sequence[str],
    label: str | Sequence[str],
    xyz_A: NDArray[np.float64],
    angles_deg: NDArray[np.float64] | None = None,
    conformation: int | Sequence[int] = 0,
) -> pd.DataFrame:
    """Rows of the table.

    Args:
        tomogram: name, one or one a row.
        label: class, likewise.
        xyz_A: (n, 3) centres.
        angles_deg: (n, 3) rot, tilt, psi; None where poses are not known.
        conformation: one, or one a row.
    """
    if angles_deg is None:
        angles_deg = np.full((len(xyz_A), 3), np.nan)
    rows = pd.DataFrame(np.hstack([xyz_A, angles_deg]), columns=[*POSITION, *ANGLES])
    first = {"tomogram": tomogram, "label": label, "conformation": conformation}
    return rows.assign(**first)[list(PARTICLE_TABLE)]


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of several, without rows where there is none."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return particle_rows("", "", np.empty((0, 3)))
    return pd.concat(filled, ignore_index=True)


def angles_of(rotations: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """(n, 3) rot, tilt, psi of (n, 3, 3) matrices from the map to the tomogram.

    Raises:
        CryoccdError: a matrix that is no rotation.
    """
    products = rotations @ np.swapaxes(rotations, -1, -2)
    near = np.isfinite(rotations).all(axis=(1, 2))
    near &= (np.abs(products - np.eye(3)) < _ROTATION).all(axis=(1, 2))
    bad = np.flatnonzero(~(near & (np.linalg.det(np.nan_to_num(rotations)) > 0)))
    if len(bad):
        raise CryoccdError(f"{where}: the matrix of point {bad[0] + 1} is no rotation; mend it")
    return matrix_to_euler(torch.from_numpy(rotations)).numpy()


def check_inside(rows: pd.DataFrame, tomograms: Sequence[Tomogram], where: str) -> None:
    """Refuse particles of tomograms that are not there, and centres outside their tomogram.

    Raises:
        CryoccdError: it names the first.
    """
    known = {tomogram.name: tomogram for tomogram in tomograms}
    strange = sorted(set(rows["tomogram"]) - set(known))
    if strange:
        raise CryoccdError(
            f"{where}: particles of {strange[0]}, but there is no such tomogram among "
            f"{_listed(sorted(known))}; take it out, or list the tomograms to take in names"
        )
    for name, own in rows.groupby("tomogram", sort=False):
        tomogram = known[str(name)]
        xyz_px = own[POSITION].to_numpy(np.float64) / tomogram.voxel_size_A
        outside = np.flatnonzero(~inside(xyz_px, tomogram))
        if len(outside):
            place = ", ".join(f"{value:.1f}" for value in xyz_px[outside[0]])
            size = " x ".join(str(side) for side in reversed(tomogram.shape))
            raise CryoccdError(
                f"{where}: the centre ({place}) px of a {own['label'].iloc[outside[0]]} lies "
                f"outside {name} of {size} voxels (x, y, z); are the picks in other units?"
            )


def inside(xyz_px: NDArray[np.float64], tomogram: Tomogram) -> NDArray[np.bool_]:
    """Which of (n, 3) points x, y, z lie in a voxel of a tomogram; NaN does not."""
    limits = np.array(tomogram.shape[::-1]) - 0.5
    return np.asarray(((xyz_px >= -0.5) & (xyz_px < limits)).all(axis=1))


def _listed(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
