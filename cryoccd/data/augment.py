"""The eight symmetries of a square crop, applied on the device.

kornia's flips move pixels and nothing else, so they are used. Its RandomRotation90 goes through an
affine warp with interpolation (values change in the fifth digit, and the outer pixels may mix with
padding), so quarter turns are made of a transposition and flips, which are exact. Which symmetry a
crop gets is drawn with the crop, from its own seed, so a resumed run sees the same ones.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from kornia.geometry.transform import hflip, vflip
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records import UnpairedBatch

SYMMETRIES = torch.tensor([[t, v, h] for t in (0, 1) for v in (0, 1) for h in (0, 1)]).bool()
"""(8, 3): transpose, then flip rows, then flip columns. 0 = none, 3 = the half turn."""

HALF_TURN = 3


@dataclass(frozen=True)
class DrawnBatch(UnpairedBatch):
    """A batch on its way to the device, with the symmetries that its crops are to get.

    Args:
        symmetry: (b, 2) int64 rows of SYMMETRIES: simulated side, real side.
    """

    symmetry: Tensor


def draw_symmetry(rng: np.random.Generator, rotate_real: bool) -> Tensor:
    """(2,) symmetries of one item.

    Where the real spectrum has a direction, the real side keeps it: no turn by 90 degrees and no
    mirror image, only the half turn, under which every power spectrum is the same.
    """
    simulated, real = int(rng.integers(8)), int(rng.integers(8))
    return torch.tensor([simulated, real if rotate_real else HALF_TURN * (real % 2)])


def augment(batch: DrawnBatch) -> DrawnBatch:
    """Apply the drawn symmetries: clean, mask and ice together, real and its mask together."""
    simulated, real = batch.symmetry.unbind(1)
    return replace(
        batch,
        clean=transform(batch.clean, simulated),
        mask=transform(batch.mask, simulated),
        ice=transform(batch.ice, simulated),
        real=transform(batch.real, real),
        real_mask=None if batch.real_mask is None else transform(batch.real_mask, real),
        symmetry=torch.zeros_like(batch.symmetry),
    )


def transform(images: Tensor, symmetry: Tensor) -> Tensor:
    """Permute the pixels of square (b, 1, n, n) images by rows of SYMMETRIES, one an image."""
    if images.shape[-1] != images.shape[-2]:
        raise CryoccdError(f"augment: expected square crops, got {tuple(images.shape)}")
    transpose, flip_rows, flip_columns = (
        flag[:, None, None, None] for flag in SYMMETRIES.to(images.device)[symmetry].unbind(1)
    )
    images = torch.where(transpose, images.mT, images)
    images = torch.where(flip_rows, vflip(images), images)
    return torch.where(flip_columns, hflip(images), images)
