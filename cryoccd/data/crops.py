"""Unpaired crops, numbered: the same number gives the same crops, whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.data.augment import DrawnBatch, draw_symmetry
from cryoccd.data.part import Part
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class Crops:
    """One item: (1, n, n) crops of both sides, the (2,) symmetries that they get, their part."""

    clean: Tensor
    mask: Tensor
    ice: Tensor
    real: Tensor
    real_mask: Tensor | None
    symmetry: Tensor
    pixel_size_A: float
    style: int


class UnpairedCrops(Dataset[Crops]):
    """Crops by number, without end: item k is drawn from the seed and k alone.

    Its part is drawn first, each as likely as another whatever the number of its micrographs. An
    item has a real_mask where the real sides of all parts have picks, so that every batch has one
    or none has.

    Args:
        parts: what crops are drawn from.
        crop_px: side of the crops.
        seed: seed of the whole.
        augment: whether symmetries are drawn; each part says what its real side may get.
    """

    def __init__(self, parts: Sequence[Part], crop_px: int, seed: int, augment: bool) -> None:
        self._parts, self._crop_px, self._seed, self._augment = parts, crop_px, seed, augment
        self._masks = all(part.has_picks for part in parts)
        # measured here, once, and not by each worker
        self._turns = [augment and part.turns_real for part in parts]

    def __getitem__(self, item: int) -> Crops:
        rng = np.random.default_rng(item_seed(self._seed, "crops", item))
        index = int(rng.integers(len(self._parts)))
        part = self._parts[index]
        clean, mask, ice = part.simulated.crop(self._crop_px, rng)
        real, real_mask = part.real.crop(self._crop_px, rng)
        symmetry = draw_symmetry(rng, self._turns[index])
        return Crops(
            clean=clean,
            mask=mask,
            ice=ice,
            real=real,
            real_mask=real_mask if self._masks else None,
            symmetry=symmetry if self._augment else torch.zeros_like(symmetry),
            pixel_size_A=part.pixel_size_A,
            style=part.style,
        )


def collate(items: list[Crops]) -> DrawnBatch:
    """The batch of some items."""
    masks = [item.real_mask for item in items if item.real_mask is not None]
    return DrawnBatch(
        clean=torch.stack([item.clean for item in items]),
        mask=torch.stack([item.mask for item in items]),
        ice=torch.stack([item.ice for item in items]),
        real=torch.stack([item.real for item in items]),
        real_mask=torch.stack(masks) if masks else None,
        pixel_size_A=torch.tensor([item.pixel_size_A for item in items]),
        style=torch.tensor([item.style for item in items]),
        symmetry=torch.stack([item.symmetry for item in items]),
    )
