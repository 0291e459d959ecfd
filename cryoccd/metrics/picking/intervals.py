"""Intervals of picking figures: a bootstrap over micrographs.

Picks of one micrograph share its ice, defocus and annotator, so whole micrographs are drawn with
replacement, never picks, and the figure of each draw is pooled again. The interval lies between
quantiles of these figures. Those of 2.5 and 97.5 % are too close for few micrographs: the spread is
that of n micrographs about their own mean, too small by sqrt((n - 1) / n), and the levels are those
of a normal distribution. So they are

    Phi(-+ sqrt(n / (n - 1)) t_(0.975, n - 1))

(expanded percentile interval: Hesterberg 2015, Am. Stat. 69, 371). In 300 simulations of the AP of
micrographs of differing contrast the truth lay inside in 97 % for n = 8 and 16, and in 90 and 94 %
with the plain levels. Repeats move Frechet distances, but hardly an AP: the mean of the draws was
off by a hundredth of their spread.
"""

from collections.abc import Callable, Sequence
from math import isfinite, sqrt
from typing import TypeVar

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

from cryoccd.metrics.statistics.intervals import CONFIDENCE, FEWEST_MICROGRAPHS, Interval
from cryoccd.randomness import item_seed

T = TypeVar("T")


def interval(
    parts: Sequence[T], statistic: Callable[[Sequence[T]], float], draws: int = 2000, seed: int = 0
) -> Interval:
    """Interval of a figure over micrographs, whatever their order.

    Args:
        parts: one statistic a micrograph.
        statistic: the figure of some micrographs, whatever their order; NaN where undefined.
        draws: bootstrap samples.
        seed: of the draws.

    Returns:
        The 95 % interval, kind "bootstrap95"; below FEWEST_MICROGRAPHS, where no confidence can be
        promised, the "range" of the estimates with each micrograph left out; "none" where an
        estimate is undefined or there is a single micrograph.
    """
    n = len(parts)
    if n < 2:
        return Interval(None, None, "none")
    if n < FEWEST_MICROGRAPHS:
        estimates = [statistic(parts), *leave_one_out(parts, statistic)]
        low, high = 0.0, 1.0
    else:
        ordered = canonical_order(parts, statistic)
        rng = np.random.default_rng(item_seed(seed, "picking bootstrap"))
        chosen = rng.integers(n, size=(draws, n))
        estimates = [statistic([ordered[i] for i in sample]) for sample in chosen]
        reach = sqrt(n / (n - 1)) * student_t.ppf(0.5 + CONFIDENCE / 2, n - 1)
        low, high = norm.cdf(-reach), norm.cdf(reach)
    if not all(isfinite(estimate) for estimate in estimates):
        return Interval(None, None, "none")
    ends = np.quantile(estimates, [low, high])
    kind = "range" if n < FEWEST_MICROGRAPHS else "bootstrap95"
    return Interval(float(ends[0]), float(ends[1]), kind)


def leave_one_out(parts: Sequence[T], statistic: Callable[[Sequence[T]], float]) -> list[float]:
    """The figure without each micrograph in turn."""
    return [statistic([*parts[:i], *parts[i + 1 :]]) for i in range(len(parts))]


def canonical_order(parts: Sequence[T], statistic: Callable[[Sequence[T]], float]) -> list[T]:
    """Micrographs by what they do to the figure, so that draws do not depend on their order."""
    left_out = leave_one_out(parts, statistic)
    return [parts[i] for i in np.argsort(left_out, kind="stable")]
