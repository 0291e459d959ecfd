"""The ice that a molecule displaces: a smooth union of atomic Gaussians.

M = 1 - prod_j (1 - m_j) = 1 - exp(-phi),   phi(r) = sum_j A exp(-|r - r_j|^2 / 2 s^2)

the union of Grant & Pickup (1995, eq. 5), soft by itself. Only heavy atoms count, their hydrogens
are in A: so a model has one mask with and without them.
"""

from math import exp, log, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.specimen.grid import squared_frequency

WIDTH_A = 1.25  # s
RADIUS_A = 1.55  # where m of a lone atom is 1/2
HEIGHT = log(2) * exp(RADIUS_A**2 / (2 * WIDTH_A**2))  # A

DISPLACED_A3_PER_DALTON = 1.21
"""What proteins displace with this radius: 0.73 cm^3/g."""


def displaced_ice(positions_A: NDArray[np.float64], side: int, grid_A: float) -> Tensor:
    """(side,) * 3 share of the ice displaced, 0 to 1, axes (z, y, x), origin at voxel 0.

    Args:
        positions_A: (n, 3) heavy atoms as x, y, z, inside the periodic grid.
        side: edge in voxels.
        grid_A: voxel size, at most about 1 A.
    """
    counts = _shared_out(positions_A[:, ::-1] / grid_A, side)
    variance_A2 = WIDTH_A**2 - grid_A**2 / 6  # sharing out has widened each atom by h^2 / 6
    gaussian = torch.exp(-2 * pi**2 * variance_A2 * squared_frequency(side, grid_A))
    volume_px = HEIGHT * (2 * pi) ** 1.5 * (WIDTH_A / grid_A) ** 3
    phi = torch.fft.irfftn(torch.fft.rfftn(counts) * gaussian, s=(side,) * 3) * volume_px
    return -torch.expm1(-phi.clamp_(min=0))


def _shared_out(points_px: NDArray[np.float64], side: int) -> Tensor:
    """Count of points, each shared among its eight voxels by trilinear weights."""
    base = np.floor(points_px).astype(np.int64)
    share = points_px - base
    counts = np.zeros((side, side, side), dtype=np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(corner, share, 1 - share).prod(axis=1)
        np.add.at(counts, tuple(((base + corner) % side).T), weight.astype(np.float32))
    return torch.from_numpy(counts)
