"""Intervals over micrographs by a block jackknife.

Crops of one micrograph are not independent, so whole micrographs are left out, in at most ten
blocks a side. With blocks of m_j out of n micrographs, h_j = n / m_j, and pseudo-values
p_j = h_j t - (h_j - 1) t_(j), the variance of one side is

    v = 1/g sum_j (p_j - mean p)^2 / (h_j - 1)     (Busing, Meijer & van der Leeden 1999, eq. 7)

about the mean of the pseudo-values; those of the two sides add, with the degrees of freedom of
Welch and Satterthwaite. A percentile bootstrap would not do: drawing with replacement repeats
crops, which shrinks the covariances and moves every Frechet distance up, past its own estimate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt

from scipy.stats import t as student_t

FEWEST_MICROGRAPHS = 8  # below, a t quantile of the few blocks says more than is known
MAX_BLOCKS = 10
CONFIDENCE = 0.95

Estimate = Callable[[Sequence[int], Sequence[int]], float]


@dataclass(frozen=True)
class Interval:
    """Ends of an interval and what it is.

    Args:
        low: lower end, None where kind is "none".
        high: upper end.
        kind: "jackknife95", "bootstrap95", "range" (of the leave-one-out estimates) or "none".
    """

    low: float | None
    high: float | None
    kind: str


def block_jackknife(estimate: Estimate, n_real: int, n_generated: int) -> Interval:
    """Interval of an estimate over the micrographs of both sides.

    Args:
        estimate: the metric from the real and the generated micrographs with these indices.
        n_real: real micrographs; 0 where the estimate takes none.
        n_generated: generated micrographs.

    Returns:
        The 95 % interval; below FEWEST_MICROGRAPHS on a side the range of the leave-one-out
        estimates; "none" where an estimate is undefined or a side has a single micrograph.
    """
    fewest = min(n_real or n_generated, n_generated)
    if fewest < 2:
        return Interval(None, None, "none")
    all_real, all_generated = range(n_real), range(n_generated)
    value = estimate(all_real, all_generated)
    real = [(len(b), estimate(_without(n_real, b), all_generated)) for b in _blocks(n_real)]
    generated = [
        (len(b), estimate(all_real, _without(n_generated, b))) for b in _blocks(n_generated)
    ]
    estimates = [value, *(t for _, t in real + generated)]
    if not all(isfinite(t) for t in estimates):
        return Interval(None, None, "none")
    if fewest < FEWEST_MICROGRAPHS:
        return Interval(min(estimates), max(estimates), "range")
    sides = [(n, left_out) for n, left_out in ((n_real, real), (n_generated, generated)) if n]
    variances = [_variance(value, n, left_out) for n, left_out in sides]
    total = sum(variances)
    degrees = [len(left_out) - 1 for _, left_out in sides]
    shares = sum(v**2 / f for v, f in zip(variances, degrees, strict=True))
    freedom = total**2 / shares if shares > 0 else inf
    reach = float(student_t.ppf(0.5 + CONFIDENCE / 2, freedom)) * sqrt(total)
    return Interval(value - reach, value + reach, "jackknife95")


def _blocks(n: int) -> list[range]:
    """Every micrograph in one block; sizes differ by one at most."""
    count = min(n, MAX_BLOCKS)
    return [range(i, n, count) for i in range(count)]


def _without(n: int, block: range) -> list[int]:
    return [i for i in range(n) if i not in block]


def _variance(value: float, n: int, left_out: list[tuple[int, float]]) -> float:
    ratios = [n / size for size, _ in left_out]
    pseudo = [h * value - (h - 1) * t for h, (_, t) in zip(ratios, left_out, strict=True)]
    mean = sum(pseudo) / len(pseudo)
    squares = [(p - mean) ** 2 / (h - 1) for p, h in zip(pseudo, ratios, strict=True)]
    return sum(squares) / len(squares)
