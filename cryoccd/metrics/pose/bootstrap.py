"""Percentile bootstrap of means, medians and shares over groups of particles.

Particles of one micrograph share its defocus, its ice and its faults, so whole micrographs are
drawn with replacement (Field & Welsh 2007, J R Stat Soc B 69, 369); a draw is a weight a particle.
"""

import numpy as np
import torch
from torch import Tensor

from cryoccd.metrics.statistics.intervals import CONFIDENCE, Interval
from cryoccd.randomness import item_seed


def resampling_weights(groups: Tensor, n_resamples: int, seed: int) -> Tensor:
    """How often each particle is drawn.

    Args:
        groups: (n,) int64 group of each particle, 0 .. g - 1.
        n_resamples: draws.
        seed: of the draws.

    Returns:
        (n_resamples, n) float64 counts.
    """
    g = int(groups.max()) + 1
    rng = np.random.default_rng(item_seed(seed, "bootstrap", g))
    counts = rng.multinomial(g, np.full(g, 1 / g), size=n_resamples)
    return torch.from_numpy(counts).double()[:, groups]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """(b,) means of (n,) values under (b, n) weights."""
    return weights @ values / weights.sum(1)


def weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """(b,) medians of (n,) values under (b, n) whole weights, the middle of two where they tie."""
    values, order = values.sort()
    reached = weights[:, order].cumsum(1)
    half = reached[:, -1:] / 2
    low = torch.searchsorted(reached, half)
    high = torch.searchsorted(reached, half, right=True)
    return (values[low] + values[high]).squeeze(1) / 2


def percentile_interval(resampled: Tensor, n_groups: int) -> Interval:
    """The 95 % interval of (b,) resampled figures; "none" for a single group."""
    if n_groups < 2:
        return Interval(None, None, "none")
    tail = (1 - CONFIDENCE) / 2
    low, high = resampled.quantile(torch.tensor([tail, 1 - tail], dtype=resampled.dtype)).tolist()
    return Interval(low, high, "bootstrap95")
