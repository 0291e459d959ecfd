"""What a network for subtomograms sees in one step."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class VolumeBatch:
    """Boxes of tomograms with what is known of them; axes z, y, x.

    Args:
        volume: (n, 1, b, b, b) float32, each box at mean 0 and deviation 1.
        label: (n,) int64 class of the particle in the middle.
        position: (n, 3) float32 x, y, z of the centre, shares of the tomogram's extent in [0, 1].
        density: (n, 1, b, b, b) float32 noise-free density of the particles in the box, of the
            middle one and of its neighbours, in their poses; None where poses are unknown.
        voxel_size_A: angstrom per voxel.
    """

    volume: Tensor
    label: Tensor
    position: Tensor
    density: Tensor | None
    voxel_size_A: float

    def __post_init__(self) -> None:
        n, shape = len(self.volume), tuple(self.volume.shape)
        others = [tuple(self.label.shape), tuple(self.position.shape)]
        if self.volume.dim() != 5 or shape[1] != 1 or others != [(n,), (n, 3)]:
            raise CryoccdError(
                f"batch: volume {shape}, label {others[0]}, position {others[1]}, expected "
                "(n, 1, b, b, b), (n,) and (n, 3)"
            )
        if self.density is not None and self.density.shape != self.volume.shape:
            raise CryoccdError(f"batch: density {tuple(self.density.shape)}, expected {shape}")

    def __len__(self) -> int:
        return len(self.volume)

    def to(self, device: torch.device | str) -> "VolumeBatch":
        """The same batch on another device."""
        density = None if self.density is None else self.density.to(device)
        return replace(
            self,
            volume=self.volume.to(device),
            label=self.label.to(device),
            position=self.position.to(device),
            density=density,
        )
