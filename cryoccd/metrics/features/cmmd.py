"""CMMD (Jayasumana et al. 2024, arXiv:2401.09603): squared MMD with a Gaussian kernel.

    1000 (mean k(x, x') + mean k(y, y') - 2 mean k(x, y)),   k(x, y) = exp(-|x - y|^2 / (2 10^2))

over all pairs, those of a crop with itself as well, as the published code has it: the V-statistic
of Gretton et al. 2012 (eq. 5). Of one and the same process, n crops on one side and m on the other
give 1000 (1/n + 1/m) (1 - mean k) on average if the crops are independent, and more if those of a
micrograph are alike: it is compared at equal numbers, and with the floor of real against real.
"""

from collections.abc import Sequence
from math import nan
from typing import Any

import torch
from torch import Tensor

from cryoccd.metrics.features.crop_features import CropMeasure
from cryoccd.metrics.features.extractor import Extractor
from cryoccd.metrics.measure import Estimator, Figure

SIGMA = 10.0
SCALE = 1000.0


class Cmmd(CropMeasure):
    """Squared kernel distance of embeddings; the statistic of a micrograph is those of its crops.

    Args:
        extractor: CLIP's embeddings of length 1, `EightBit(ClipFeatures(...), limits)`.
        crop_px: side of the crops.
        crops_per_micrograph: how many; they do not overlap.
        seed: of the choice of crops.
    """

    def __init__(
        self,
        extractor: Extractor,
        crop_px: int = 64,
        crops_per_micrograph: int = 16,
        seed: int = 0,
    ) -> None:
        super().__init__(extractor, crop_px, crops_per_micrograph, seed)
        what = "squared distance of mean CLIP embeddings in a Gaussian kernel's space, x 1000"
        self.name = f"cmmd_{extractor.name}"
        self.figures = (Figure(self.name, 0.0, what),)

    def protocol(self) -> dict[str, Any]:
        """All that is fixed, for the record beside the figures."""
        return {
            "extractor": self.extractor.version,
            "crop_px": self.crop_px,
            "crops_per_micrograph": self.crops_per_micrograph,
            "seed": self.seed,
            "kernel": f"{SCALE:g} x Gaussian of sigma {SIGMA:g}, V-statistic, float64",
        }

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """NaN where a side is empty."""
        return self.estimator(real, made)(range(len(real)), range(len(made)))

    def estimator(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> Estimator:
        """The kernel is summed once over every pair of micrographs."""
        if not (real and made):
            return lambda i, j: {self.name: nan}
        within_real, within_made = kernel_sums(real, real), kernel_sums(made, made)
        across = kernel_sums(real, made)
        n_real, n_made = _counts(real), _counts(made)

        def estimate(i: Sequence[int], j: Sequence[int]) -> dict[str, float]:
            a, b = torch.tensor(i, dtype=torch.long), torch.tensor(j, dtype=torch.long)
            n_a, n_b = n_real[a].sum(), n_made[b].sum()
            squared = (
                within_real[a][:, a].sum() / n_a**2
                + within_made[b][:, b].sum() / n_b**2
                - 2 * across[a][:, b].sum() / (n_a * n_b)
            )
            return {self.name: SCALE * float(squared)}

        return estimate


def kernel_sums(one: Sequence[Tensor], two: Sequence[Tensor]) -> Tensor:
    """(a, b) float64 sums of k over all pairs of (n_i, d) features of two micrographs."""
    other = torch.cat(list(two)).to(torch.float64)
    owner = torch.repeat_interleave(torch.arange(len(two)), _counts(two).long())
    rows = []
    for features in one:
        values = features.to(torch.float64)
        products = values @ other.T
        squares = values.square().sum(1)[:, None] + other.square().sum(1)
        kernel = torch.exp((2 * products - squares) / (2 * SIGMA**2))
        rows.append(torch.zeros(len(two), dtype=torch.float64).index_add(0, owner, kernel.sum(0)))
    return torch.stack(rows)


def _counts(features: Sequence[Tensor]) -> Tensor:
    return torch.tensor([len(x) for x in features], dtype=torch.float64)
