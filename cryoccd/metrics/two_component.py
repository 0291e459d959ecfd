"""Particles against background without picks: two Gaussians over the maxima of scores."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TwoComponents:
    """Mean and standard deviation of the low and the high component, and the high one's share."""

    low_mean: float
    low_sd: float
    high_mean: float
    high_sd: float
    high_share: float

    @property
    def separation(self) -> float:
        """Distance of the means in standard deviations of the low component."""
        return (self.high_mean - self.low_mean) / self.low_sd


def local_maxima(score: Tensor, radius_px: int) -> Tensor:
    """Values (n,) of a (h, w) map that are the largest within a square of the given half side."""
    window = 2 * radius_px + 1
    largest = torch.nn.functional.max_pool2d(score[None, None], window, 1, radius_px)[0, 0]
    inner = score[radius_px:-radius_px, radius_px:-radius_px]
    return inner[inner == largest[radius_px:-radius_px, radius_px:-radius_px]]


def fit_two_components(values: Tensor, iterations: int = 200) -> TwoComponents:
    """Expectation-maximisation from a split at the 70th percentile (Dempster et al. 1977)."""
    x = values.to(torch.float64)
    share_high = (x > x.quantile(0.7)).to(torch.float64)
    for _ in range(iterations):
        weights = torch.stack([1 - share_high, share_high])
        total = weights.sum(1)
        means = (weights * x).sum(1) / total
        spread = (weights * (x - means[:, None]) ** 2).sum(1) / total
        sds = spread.sqrt().clamp_min(1e-3 * float(x.std()))
        log_density = (
            (total / len(x)).log()[:, None]
            - sds.log()[:, None]
            - (x - means[:, None]) ** 2 / (2 * sds[:, None] ** 2)
        )
        share_high = torch.softmax(log_density, 0)[1]
    order = [0, 1] if means[0] < means[1] else [1, 0]
    (m0, m1), (s0, s1) = means[order].tolist(), sds[order].tolist()
    return TwoComponents(m0, s0, m1, s1, float(total[order[1]] / len(x)))
