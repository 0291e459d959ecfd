"""A three-dimensional map."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Volume:
    """A cubic map of electrostatic potential.

    Args:
        values: (n, n, n) float32 in volts, axes (z, y, x); the origin is voxel n // 2 of each axis.
        voxel_size_A: edge of a voxel in angstrom.
    """

    values: Tensor
    voxel_size_A: float

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or len(set(self.values.shape)) != 1:
            raise CryoccdError(f"volume: expected a cube, got shape {tuple(self.values.shape)}")
        if not self.voxel_size_A > 0:
            raise CryoccdError(f"volume: voxel_size_A = {self.voxel_size_A}, expected > 0")
        if not bool(torch.isfinite(self.values).all()):
            raise CryoccdError("volume: values hold NaN or infinity")

    @property
    def box_px(self) -> int:
        """Edge of the cube in voxels."""
        return int(self.values.shape[0])
