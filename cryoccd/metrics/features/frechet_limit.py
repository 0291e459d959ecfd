"""The Frechet distance of crop features extrapolated to infinitely many micrographs.

Its bias is about c / n; the limit is the intercept at infinite n (Chong & Forsyth 2020,
arXiv:1911.07023) of the line in 1 / n. Crops of one micrograph are alike, so n counts micrographs:
the line goes through all of them and the mean of the four pairs of one half of each side,

    fd_inf = d^2(n) - (d^2(n / 2) - d^2(n)) = 2 d^2(n) - d^2(n / 2).

Every micrograph is in as many half-size distances as any other; more halves, or quarters as well,
were no less noisy and more biased. Below about as many crops as features the curve bends, and some
of the bias is left. Halves are drawn by lots that depend on the seed and on the features of each
micrograph alone, so the order does not matter, and to leave a micrograph out moves one other.
"""

from collections.abc import Sequence
from math import nan
from statistics import fmean
from typing import ClassVar

import torch
from torch import Tensor

from cryoccd.metrics.features.crop_features import CropMeasure
from cryoccd.metrics.features.extractor import Extractor
from cryoccd.metrics.features.feature_distance import distance_of
from cryoccd.metrics.features.frechet import FeatureStatistics, frechet_distance, merge
from cryoccd.metrics.measure import Estimator, Figure
from cryoccd.randomness import item_seed

_TURNS = 1e3  # of the lots: far more than micrographs differ, far less than floats are rounded


class FrechetLimit(CropMeasure):
    """fd_<extractor>_inf.

    Args:
        extractor: crops to features; its name is in that of the figure.
        crop_px: side of the crops.
        crops_per_micrograph: how many; they do not overlap.
        seed: of the choice of crops and of the halves.
        frechet: beginning of the name: fid for Inception's.
    """

    fewest: ClassVar[int] = 4  # a half of one micrograph has no scatter between micrographs

    def __init__(
        self,
        extractor: Extractor,
        crop_px: int = 64,
        crops_per_micrograph: int = 16,
        seed: int = 0,
        frechet: str = "fd",
    ) -> None:
        super().__init__(extractor, crop_px, crops_per_micrograph, seed)
        name = f"{frechet}_{extractor.name}_inf"
        self.figures = (Figure(name, 0.0, "Frechet distance extrapolated to infinite n"),)

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """The limit over all micrographs; NaN with fewer than four a side."""
        return self.estimator(real, made)(range(len(real)), range(len(made)))

    def estimator(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> Estimator:
        """As `compare`; statistics of each micrograph are kept."""
        name = self.figures[0].name
        sides = [[FeatureStatistics.of(x) for x in side] for side in (real, made)]
        lots = [[_lot(x, self.seed) for x in side] for side in (real, made)]

        def estimate(i: Sequence[int], j: Sequence[int]) -> dict[str, float]:
            if min(len(i), len(j)) < self.fewest:
                return {name: nan}
            one, two = (
                [parts[k] for k in sorted(index, key=lot.__getitem__)]
                for parts, lot, index in zip(sides, lots, (i, j), strict=True)
            )
            return {name: _extrapolated(distance_of(one, two), one, two)}

        return estimate


def _extrapolated(
    whole: float, one: list[FeatureStatistics], two: list[FeatureStatistics]
) -> float:
    """Intercept in 1 / n of the distance of all micrographs and that of the halves of the lists."""
    halves = [(side[: len(side) // 2], side[len(side) // 2 :]) for side in (one, two)]
    merged = [[merge(half) for half in pair] for pair in halves]
    half = fmean(frechet_distance(a, b) for a in merged[0] for b in merged[1])
    # n / m of the halves: 2, or a little more for odd n
    ratios = [(len(a) + len(b)) / len(part) for a, b in halves for part in (a, b)]
    return whole - (half - whole) / (fmean(ratios) - 1)


def _lot(features: Tensor, seed: int) -> float:
    """A number in [0, 1) that the mean feature vector draws: wound up, so it means nothing."""
    mean = features.to(torch.float64).mean(0)
    generator = torch.Generator().manual_seed(item_seed(seed, "halves"))
    direction = torch.randn(len(mean), dtype=torch.float64, generator=generator)
    return float(_TURNS * (direction @ mean) / mean.norm().clamp_min(1e-300) % 1)
