"""Numbered training crops with their heat maps: the same number gives the same crop.

A micrograph may come with the signal that it contains, image = signal + noise. Its contrast is then
drawn anew for each crop: with z the crop and t the signal in it, both on the scale of what a picker
sees, the crop becomes z + (c - 1) t and is brought back to mean 0 and standard deviation 1, since
a picker never sees another.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.data.augment import SYMMETRIES, transform
from cryoccd.data.windows import check_window, cut, random_window
from cryoccd.downstream.picking.heat_map import heat_map
from cryoccd.downstream.picking.seen import SeenMicrograph
from cryoccd.randomness import item_seed


class PickingCrops(Dataset[tuple[Tensor, Tensor]]):
    """`count` crops, each (1, n, n), and heat maps of the same shape.

    Item k depends on the seed and on k alone: a micrograph, each as likely as another, a window, a
    symmetry of the square, a contrast.

    Args:
        micrographs: in an order that does not depend on the machine.
        count: number of items.
        crop_px: side of a crop.
        sigma_px: of the Gaussians of the heat maps.
        contrast: factors on the signal, log-uniform between these; None leaves it.
        seed: seed of the whole.

    Raises:
        CryoccdError: a micrograph smaller than a crop.
    """

    def __init__(
        self,
        micrographs: Sequence[SeenMicrograph],
        count: int,
        crop_px: int,
        sigma_px: float,
        contrast: tuple[float, float] | None,
        seed: int,
    ) -> None:
        for each in micrographs:
            check_window(f"{each.name}, as the picker sees it,", each.values.shape, crop_px)
        self._micrographs, self._count = micrographs, count
        self._crop_px, self._sigma_px = crop_px, sigma_px
        self._contrast, self._seed = contrast, seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(item_seed(self._seed, "picking crops", item))
        micrograph = self._micrographs[int(rng.integers(len(self._micrographs)))]
        window = random_window(micrograph.values.shape, (self._crop_px, self._crop_px), rng)
        symmetry = torch.tensor([int(rng.integers(len(SYMMETRIES)))])
        crop = cut(micrograph.values, window)
        if self._contrast is not None and micrograph.signal is not None:
            low, high = np.log(self._contrast)
            factor = float(np.exp(rng.uniform(low, high)))
            crop = crop + (factor - 1) * cut(micrograph.signal, window)
            crop = (crop - crop.mean()) / crop.std().clamp_min(1e-6)
        corner = torch.tensor([window[1].start, window[0].start])
        shape = (self._crop_px, self._crop_px)
        target = heat_map(shape, micrograph.centres_px - corner, self._sigma_px)[None]
        return transform(crop[None], symmetry)[0], transform(target[None], symmetry)[0]
