"""Broken particles: what a random cut leaves of a specimen, as denatured ones show in the ice."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import erf
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records import Volume

EDGE_A = 10.0
"""Width of the cut: from 16 to 84 % of the density."""

KEPT = (0.3, 0.7)

_BIN_A = 0.25
_Array = NDArray[np.float64]


def broken_volumes(
    volume: Volume, count: int, generator: np.random.Generator
) -> tuple[Volume, ...]:
    """Pieces of a specimen, each cut by a plane of random direction.

    The share of the mass (of the values above 0) that stays is uniform in KEPT.

    Args:
        volume: the whole one.
        count: so many pieces, at least 1.
        generator: of directions and shares.

    Returns:
        Pieces in the frame of the whole one.

    Raises:
        CryoccdError: no pieces asked for, or a volume without positive values.
    """
    if count < 1:
        raise CryoccdError(f"broken: count = {count}, expected 1 or more pieces")
    mass = volume.values.double().clamp(min=0)
    if not float(mass.sum()) > 0:
        raise CryoccdError("broken: the volume has no positive values, nothing to cut")
    return tuple(
        Volume(volume.values * _cut(volume, mass, generator), volume.voxel_size_A)
        for _ in range(count)
    )


def _cut(volume: Volume, mass: Tensor, generator: np.random.Generator) -> Tensor:
    """Share of each voxel that stays: an edge of the error function along a random direction."""
    normal = generator.standard_normal(3)
    x, y, z = normal / np.linalg.norm(normal)
    share = generator.uniform(*KEPT)
    axis = (np.arange(volume.box_px) - volume.box_px // 2) * volume.voxel_size_A
    height = axis[:, None, None] * z + axis[None, :, None] * y + axis * x
    plane_A = _plane_A(height, mass.numpy(), share)
    return torch.from_numpy(_edge(height - plane_A)).float()


def _plane_A(height_A: _Array, mass: _Array, share: float) -> float:
    """Height of the plane above which this share of the mass stays."""
    bins = np.rint(height_A / _BIN_A).astype(np.int64)
    lowest = int(bins.min())
    layers = np.bincount((bins - lowest).ravel(), mass.ravel())
    heights = (np.arange(len(layers)) + lowest) * _BIN_A
    low, high = heights[0] - EDGE_A, heights[-1] + EDGE_A
    for _ in range(30):  # what stays shrinks as the plane rises
        middle = (low + high) / 2
        if (layers * _edge(heights - middle)).sum() > share * layers.sum():
            low = middle
        else:
            high = middle
    return float(low)


def _edge(distance_A: _Array) -> _Array:
    return np.asarray((1 + erf(distance_A * (2**0.5 / EDGE_A))) / 2)
