"""Frechet distance between Gaussians fitted to features (Heusel et al. 2017, eq. 6; float64).

    d^2 = |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2)

The statistics are kept in square-root form: rows R with R'R = (n - 1) C. The last trace is then the
sum of the singular values of R1 R2' / sqrt((n1 - 1)(n2 - 1)), which needs no matrix square root,
does not square the condition number, and is exact for fewer features than dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class FeatureStatistics:
    """Sufficient statistics of a set of features; they merge exactly.

    Args:
        count: how many features.
        mean: (d,) float64.
        root: (r, d) float64 with root' root = the scatter about the mean, r at most d.
    """

    count: int
    mean: Tensor
    root: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "FeatureStatistics":
        """Statistics of (n, d) features."""
        values = features.to(torch.float64)
        mean = values.mean(0)
        return cls(len(values), mean, _compressed(values - mean))


def merge(parts: Sequence[FeatureStatistics]) -> FeatureStatistics:
    """Statistics of the union: the scatter of the means joins the scatters as further rows."""
    count = sum(part.count for part in parts)
    mean = torch.stack([part.count / count * part.mean for part in parts]).sum(0)
    between = torch.stack([sqrt(part.count) * (part.mean - mean) for part in parts])
    rows = torch.cat([*(part.root for part in parts), between])
    return FeatureStatistics(count, mean, _compressed(rows))


def frechet_distance(real: FeatureStatistics, generated: FeatureStatistics) -> float:
    """Squared Frechet distance; 0 for equal sets. Biased upwards by about d / n, like any FID.

    Raises:
        CryoccdError: fewer than two features on a side.
    """
    if min(real.count, generated.count) < 2:
        raise CryoccdError("Frechet distance: one feature on a side, expected two or more")
    one = real.root / sqrt(real.count - 1)
    two = generated.root / sqrt(generated.count - 1)
    between = (real.mean - generated.mean).square().sum()
    traces = one.square().sum() + two.square().sum()
    return float(between + traces - 2 * torch.linalg.svdvals(one @ two.T).sum())


def _compressed(rows: Tensor) -> Tensor:
    """At most d rows of the same scatter."""
    if rows.shape[0] <= rows.shape[1]:
        return rows
    triangle: Tensor = torch.linalg.qr(rows, mode="r").R
    return triangle
