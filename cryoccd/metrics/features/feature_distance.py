"""Distances between the distributions of crop features, for any extractor.

fd is the Frechet distance d^2(n) of Gaussians fitted to the features, kid the unbiased kernel
distance (`frechet`, `kid`). The first is biased upwards by about c / n, with a c that depends on
the model, so that equal n do not make two models comparable; `frechet_limit` extrapolates.
"""

from collections.abc import Sequence
from math import nan

from torch import Tensor

from cryoccd.metrics.features.crop_features import CropMeasure
from cryoccd.metrics.features.extractor import Extractor
from cryoccd.metrics.features.frechet import FeatureStatistics, frechet_distance, merge
from cryoccd.metrics.features.kid import KernelSums, kernel_distance
from cryoccd.metrics.measure import Estimator, Figure


class FeatureDistance(CropMeasure):
    """Frechet and kernel distance of crop features.

    Args:
        extractor: crops to features; its name ends those of the figures.
        crop_px: side of the crops.
        crops_per_micrograph: how many; they do not overlap.
        seed: of the choice of crops.
        frechet: beginning of the name of the Frechet distance: fid for Inception's.
    """

    def __init__(
        self,
        extractor: Extractor,
        crop_px: int = 64,
        crops_per_micrograph: int = 16,
        seed: int = 0,
        frechet: str = "fd",
    ) -> None:
        super().__init__(extractor, crop_px, crops_per_micrograph, seed)
        name = extractor.name
        self.figures = (
            Figure(f"{frechet}_{name}", 0.0, "Frechet distance of crop features, biased upwards"),
            Figure(f"kid_{name}", 0.0, "unbiased squared kernel distance of crop features"),
        )

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """Distances over all micrographs; kid needs two a side."""
        return self.estimator(real, made)(range(len(real)), range(len(made)))

    def estimator(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> Estimator:
        """As `compare`; statistics of each micrograph and kernels of each pair are kept."""
        names = [figure.name for figure in self.figures]
        if not (real and made):
            return lambda i, j: dict.fromkeys(names, nan)
        sides = [[FeatureStatistics.of(x) for x in side] for side in (real, made)]
        kernels = KernelSums.of(real, made)

        def estimate(i: Sequence[int], j: Sequence[int]) -> dict[str, float]:
            one, two = ([side[k] for k in kept] for side, kept in zip(sides, (i, j), strict=True))
            values = (distance_of(one, two), kernel_distance(kernels, i, j))
            return dict(zip(names, values, strict=True))

        return estimate


def distance_of(one: list[FeatureStatistics], two: list[FeatureStatistics]) -> float:
    """Frechet distance of two lists of micrographs; NaN with fewer than two crops on a side."""
    if min(sum(part.count for part in side) for side in (one, two)) < 2:
        return nan
    return frechet_distance(merge(one), merge(two))
