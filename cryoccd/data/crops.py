"""Unpaired crops, numbered: the same number gives the same crops, whoever asks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from cryoccd.data.augment import DrawnBatch, draw_symmetry
from cryoccd.data.real import RealPool
from cryoccd.data.simulated import SimulatedPool
from cryoccd.geometry import item_seed


@dataclass(frozen=True)
class Crops:
    """One item: crops of both sides, (1, n, n) each, and the (2,) symmetries that they get."""

    clean: Tensor
    mask: Tensor
    ice: Tensor
    real: Tensor
    real_mask: Tensor | None
    symmetry: Tensor


class UnpairedCrops(Dataset[Crops]):
    """Crops by number, without end: item k is drawn from the seed and k alone.

    Args:
        simulated: pool of the simulated side.
        real: pool of the real side.
        crop_px: side of the crops.
        seed: seed of the whole.
        augment: whether symmetries are drawn.
        rotate_real: whether the real side may get all eight.
    """

    def __init__(
        self,
        simulated: SimulatedPool,
        real: RealPool,
        crop_px: int,
        seed: int,
        augment: bool,
        rotate_real: bool,
    ) -> None:
        self._simulated, self._real = simulated, real
        self._crop_px, self._seed = crop_px, seed
        self._augment, self._rotate_real = augment, rotate_real

    def __getitem__(self, item: int) -> Crops:
        rng = np.random.default_rng(item_seed(self._seed, "crops", item))
        clean, mask, ice = self._simulated.crop(self._crop_px, rng)
        real, real_mask = self._real.crop(self._crop_px, rng)
        symmetry = draw_symmetry(rng, self._rotate_real)
        if not self._augment:
            symmetry = torch.zeros_like(symmetry)
        return Crops(clean, mask, ice, real, real_mask, symmetry)


class EpochSampler(Sampler[int]):
    """Numbers epoch * images .. (epoch + 1) * images - 1, so no two epochs share an item.

    The trainer calls set_epoch, also on a resumed run.
    """

    def __init__(self, images_per_epoch: int) -> None:
        self._images, self._epoch = images_per_epoch, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._images

    def __iter__(self) -> Iterator[int]:
        start = self._epoch * self._images
        return iter(range(start, start + self._images))


@dataclass(frozen=True)
class Collate:
    """Stacks items into a batch.

    Args:
        pixel_size_A: pixel size of both sides.
        style: index of the acquisition style.
    """

    pixel_size_A: float
    style: int

    def __call__(self, items: list[Crops]) -> DrawnBatch:
        """The batch of some items."""
        masks = [item.real_mask for item in items if item.real_mask is not None]
        return DrawnBatch(
            clean=torch.stack([item.clean for item in items]),
            mask=torch.stack([item.mask for item in items]),
            ice=torch.stack([item.ice for item in items]),
            real=torch.stack([item.real for item in items]),
            real_mask=torch.stack(masks) if masks else None,
            pixel_size_A=torch.full((len(items),), self.pixel_size_A),
            style=torch.full((len(items),), self.style, dtype=torch.int64),
            symmetry=torch.stack([item.symmetry for item in items]),
        )
