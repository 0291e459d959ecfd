"""The index d' of matched-filter scores at particles against those at background.

    d' = (mean s at particles - median s at background) / spread of s at background

with half the distance of the 16th and 84th percentile as the spread: the standard deviation of a
Gaussian, but blind to the ice crystals and unpicked particles of real background, which would
otherwise hide how strong the particles are against the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor

_LIMIT, _STEP = 50.0, 0.005  # of the histogram of background scores
_BINS = round(2 * _LIMIT / _STEP)


@dataclass(frozen=True)
class ScoreStatistics:
    """Scores of one micrograph: count and sum at particles, histogram at background locations."""

    n_particles: int
    particle_sum: float
    background_counts: Tensor

    @classmethod
    def of(cls, particles: Tensor, background: Tensor) -> "ScoreStatistics":
        """Statistics of (n,) scores at particles and (m,) at background locations."""
        bins = ((background + _LIMIT) / _STEP).long().clamp(0, _BINS - 1)
        counts = torch.bincount(bins, minlength=_BINS).to(torch.float64)
        return cls(len(particles), float(particles.sum()), counts)


def dprime(statistics: Sequence[ScoreStatistics]) -> float:
    """The index d' of micrographs together; NaN without particles or background."""
    particles = sum(part.n_particles for part in statistics)
    counts = torch.stack([part.background_counts for part in statistics]).sum(0)
    if particles == 0 or float(counts.sum()) == 0:
        return nan
    signal = sum(part.particle_sum for part in statistics) / particles
    low, median, high = (_percentile(counts, p) for p in (0.158655, 0.5, 0.841345))
    return (signal - median) / ((high - low) / 2)


def _percentile(counts: Tensor, fraction: float) -> float:
    """Score under which a fraction of the counts lies, linear within a bin."""
    below = counts.cumsum(0)
    target = fraction * float(below[-1])
    index = int(torch.searchsorted(below, target))
    part = (target - float(below[index] - counts[index])) / float(counts[index])
    return (index + part) * _STEP - _LIMIT
