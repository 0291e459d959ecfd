"""What a training step sees."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class UnpairedBatch:
    """Crops of simulated and of real micrographs, not paired.

    Args:
        clean: (b, 1, h, w) noise-free intensity minus 1 (contrast: particles negative), unscaled.
        mask: (b, 1, h, w) 1 inside particles of the simulated side, else 0.
        ice: (b, 1, h, w) relative transmission of the ice, in (0, 1], 1 = brightest.
        real: (b, 1, h, w) real crops, each micrograph at median 0 and MAD * 1.4826 = 1.
        real_mask: (b, 1, h, w) discs at the picks of the real side, None where it has none.
        pixel_size_A: (b,) pixel size.
        style: (b,) int64 index of the acquisition style.
    """

    clean: Tensor
    mask: Tensor
    ice: Tensor
    real: Tensor
    real_mask: Tensor | None
    pixel_size_A: Tensor
    style: Tensor

    def __post_init__(self) -> None:
        shape = self.clean.shape
        if len(shape) != 4 or self.mask.shape != shape or self.ice.shape != shape:
            raise CryoccdError(
                f"batch: clean {tuple(shape)}, mask {tuple(self.mask.shape)} and ice "
                f"{tuple(self.ice.shape)} must share one (b, 1, h, w)"
            )

    def __len__(self) -> int:
        return int(self.clean.shape[0])

    def to(self, device: torch.device | str) -> "UnpairedBatch":
        """The same batch on another device."""
        return replace(
            self, **{k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        )
