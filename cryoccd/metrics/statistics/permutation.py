"""Permutation tests over micrographs.

If generated micrographs are as real ones, labels may be exchanged between whole micrographs (their
crops are not independent) without a change of the distribution of any figure t. With B random
exchanges t_b and the deviation u = |t - ideal|,

    p = (1 + #{b: u_b >= u}) / (B + 1)        (Phipson & Smyth 2010, arXiv:1603.05766),

which is never 0 and never too small. Two methods that translated the same clean set are compared by
the difference of their figures, where the labels of the two translations of one clean micrograph
are exchanged. Exchanges are seeded, and the same for all measures of as many micrographs; another
order of the micrographs draws others, and moves p by about sqrt(p (1 - p) / B).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, floor, inf, isfinite, nan
from typing import TypeVar

import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.measure import Measure
from cryoccd.randomness import item_seed

S = TypeVar("S")
Figures = dict[str, float]

_TIE = 1e-9  # of the largest deviation: one exchange in another order of summation


@dataclass(frozen=True)
class Exchange:
    """One figure and what it becomes under exchanges.

    Args:
        value: the figure, NaN where undefined.
        null: of each random exchange; an undefined one counts as infinitely far off.
        ideal: from where deviations count; 0 for differences.
        distinct: deviations that the micrographs allow, each as probable.
    """

    value: float
    null: tuple[float, ...]
    ideal: float
    distinct: int

    @property
    def p(self) -> float:
        """Probability of as large a deviation if labels meant nothing; NaN where undefined."""
        if not isfinite(self.value):
            return nan
        observed, drawn = abs(self.value - self.ideal), self._deviations()
        slack = _TIE * max([observed, *(u for u in drawn if isfinite(u))])
        return (1 + sum(u >= observed - slack for u in drawn)) / (len(drawn) + 1)

    def critical(self, level: float) -> float:
        """Deviation above which p is at most the level; infinite where none is."""
        allowed = floor(level * (len(self.null) + 1) + _TIE) - 1
        if allowed < 0 or level * self.distinct < 1:
            return inf
        return sorted(self._deviations(), reverse=True)[allowed]

    def _deviations(self) -> list[float]:
        return [abs(t - self.ideal) if isfinite(t) else inf for t in self.null]


def exchange_sides(
    measure: Measure[S],
    real: Sequence[S],
    made: Sequence[S],
    permutations: int = 199,
    seed: int = 0,
) -> dict[str, Exchange]:
    """Test of every figure of a measure: real and generated micrographs are exchanged.

    Returns:
        By name; empty for measures that do not compare with real micrographs.
    """
    if "real" not in measure.sides:
        return {}
    pool, n = [*real, *made], len(real)
    estimate = measure.estimator(pool, pool)

    def figures(order: Sequence[int]) -> Figures:
        return estimate(sorted(order[:n]), sorted(order[n:]))

    draws = [
        figures(torch.randperm(len(pool), generator=_generator(seed, b)).tolist())
        for b in range(permutations)
    ]
    # as many on both sides: to exchange all of them changes no deviation
    distinct = comb(len(pool), n) // (2 if 2 * n == len(pool) else 1)
    ideals = {figure.name: figure.ideal for figure in measure.figures}
    return _collect(figures(range(len(pool))), draws, ideals, distinct)


def exchange_methods(
    measure: Measure[S],
    real: Sequence[S],
    one: Sequence[S],
    two: Sequence[S],
    permutations: int = 199,
    seed: int = 0,
) -> dict[str, Exchange]:
    """Test of the difference of two methods, one minus two, in every figure of a measure.

    Args:
        measure: compared with the same real side, if it has one.
        real: real micrographs.
        one: translations of a clean set by one method.
        two: of the same clean micrographs in the same order, by another.
        permutations: random exchanges.
        seed: of the exchanges.

    Raises:
        CryoccdError: there are not as many of both.
    """
    n = len(one)
    if n != len(two):
        raise CryoccdError(
            f"micrographs: {n} and {len(two)} of two methods, expected translations of the same "
            "clean set; give as many of both"
        )
    estimate = measure.estimator(real, [*one, *two])

    def difference(swap: Sequence[bool]) -> Figures:
        mine = [k + n * swapped for k, swapped in enumerate(swap)]
        other = [k + n * (not swapped) for k, swapped in enumerate(swap)]
        first, second = (estimate(range(len(real)), side) for side in (mine, other))
        return {name: first[name] - second[name] for name in first}

    draws = [
        difference((torch.rand(n, generator=_generator(seed, b)) < 0.5).tolist())
        for b in range(permutations)
    ]
    ideals = {figure.name: 0.0 for figure in measure.figures}
    return _collect(difference([False] * n), draws, ideals, 2 ** max(n - 1, 0))


def _collect(
    observed: Figures, draws: list[Figures], ideals: Mapping[str, float], distinct: int
) -> dict[str, Exchange]:
    return {
        name: Exchange(observed[name], tuple(draw[name] for draw in draws), ideal, distinct)
        for name, ideal in ideals.items()
    }


def _generator(seed: int, draw: int) -> torch.Generator:
    return torch.Generator().manual_seed(item_seed(seed, "permutation", draw))
