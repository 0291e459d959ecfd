"""The particles inside a tomogram, in its voxels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.dataset import TomogramSet

_NUMBERS = ["x_A", "y_A", "z_A", "rot_deg", "tilt_deg", "psi_deg"]


@dataclass(frozen=True)
class InnerTruth:
    """Particles whose centre lies between those of the first and the last voxel of a tomogram.

    Args:
        xyz_px: (n, 3) positions in voxels from the centre of voxel [0, 0, 0].
        rotations: (n, 3, 3) matrices A: the point c of the map lies at A c from the position; None
            where poses are not known, as of tomograms composed without them.
        table: their n rows.
    """

    xyz_px: NDArray[np.float64]
    rotations: NDArray[np.float64] | None
    table: pd.DataFrame


def inner_truth(tomograms: TomogramSet, name: str, shape: tuple[int, ...]) -> InnerTruth:
    """The particles inside a tomogram of shape (d, h, w); the ice has its middle at d // 2.

    Raises:
        CryoccdError: a position that is no number, or angles that are none for some alone.
    """
    table = tomograms.particles_of(name)
    values = table[_NUMBERS].to_numpy(np.float64)
    unknown = np.isnan(values[:, 3:]).all()
    if not np.isfinite(values[:, :3] if unknown else values).all():
        raise CryoccdError(
            f"{tomograms.root / 'particles.parquet'}: {name} has a position or angle that is no "
            "number; make the set again"
        )
    xyz_px = values[:, :3] / tomograms.voxel_size_A + np.array([0, 0, shape[0] // 2])
    inside = ((xyz_px >= 0) & (xyz_px <= np.array(shape[::-1]) - 1)).all(axis=1)
    angles_deg = torch.from_numpy(values[inside, 3:])
    rotations = None if unknown else euler_to_matrix(angles_deg).numpy()
    return InnerTruth(xyz_px[inside], rotations, table[inside].reset_index(drop=True))
