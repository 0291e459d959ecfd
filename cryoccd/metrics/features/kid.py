"""Kernel distance (KID): unbiased squared MMD with k(x, y) = (x.y / d + 1)^3.

The U-statistic of Binkowski et al. 2018 (eq. 4), but crops of one micrograph share their ice and
their defocus and are not independent: pairs from the same micrograph are left out, which keeps the
estimate unbiased over micrographs. It can therefore be a little below 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class KernelSums:
    """Kernel and pair counts summed over pairs of micrographs.

    Args:
        real: (a, a) sums between real micrographs, 0 on the diagonal.
        generated: (b, b) the same of the generated ones.
        cross: (a, b) sums between the sides.
        n_real: (a,) features of each real micrograph.
        n_generated: (b,) the same of each generated one.
    """

    real: Tensor
    generated: Tensor
    cross: Tensor
    n_real: Tensor
    n_generated: Tensor

    @classmethod
    def of(cls, real: Sequence[Tensor], generated: Sequence[Tensor]) -> "KernelSums":
        """Sums for (n_i, d) features of each micrograph."""
        return cls(
            _sums(real, real).fill_diagonal_(0),
            _sums(generated, generated).fill_diagonal_(0),
            _sums(real, generated),
            _counts(real),
            _counts(generated),
        )


def kernel_distance(
    sums: KernelSums, keep_real: Sequence[int], keep_generated: Sequence[int]
) -> float:
    """Squared MMD over some of the micrographs; NaN with fewer than two on a side."""
    a, b = torch.tensor(keep_real), torch.tensor(keep_generated)
    n_a, n_b = sums.n_real[a], sums.n_generated[b]
    within_real = sums.real[a][:, a].sum() / (n_a.sum() ** 2 - n_a.square().sum())
    within_generated = sums.generated[b][:, b].sum() / (n_b.sum() ** 2 - n_b.square().sum())
    across = sums.cross[a][:, b].sum() / (n_a.sum() * n_b.sum())
    return float(within_real + within_generated - 2 * across)


def _sums(one: Sequence[Tensor], two: Sequence[Tensor]) -> Tensor:
    x, y = (torch.cat(list(side)).to(torch.float64) for side in (one, two))
    kernel = (x @ y.T / x.shape[1] + 1) ** 3
    return _membership(one) @ kernel @ _membership(two).T


def _membership(features: Sequence[Tensor]) -> Tensor:
    """(micrographs, all features), 1 where a feature is of that micrograph."""
    owner = torch.repeat_interleave(torch.arange(len(features)), _counts(features).long())
    return torch.nn.functional.one_hot(owner, len(features)).T.to(torch.float64)


def _counts(features: Sequence[Tensor]) -> Tensor:
    return torch.tensor([len(f) for f in features], dtype=torch.float64)
