"""Whether one picker finds more than another on the same micrographs.

Micrographs differ more than methods do, so both are drawn together: the interval of
AP(one) - AP(two) is a bootstrap over pairs. The test exchanges the methods within micrographs,
which changes nothing if they are alike: all 2^(n-1) exchanges that give other deviations where they
are few, and random ones else,

    p = (1 + #{b: |t_b| >= |t|}) / (B + 1)        (Phipson & Smyth 2010, arXiv:1603.05766),

where the 1 is the observed one, so that p is exact over all of them. It asks about these
micrographs; what another training would change only more seeds can tell. Few micrographs find
nothing: p is 2^(1-n) or more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.intervals import canonical_order, interval
from cryoccd.metrics.picking.scored import Scored
from cryoccd.metrics.statistics.intervals import Interval
from cryoccd.metrics.statistics.permutation import Exchange
from cryoccd.randomness import item_seed

Pair = tuple[Scored, Scored]


@dataclass(frozen=True)
class Difference:
    """AP of one method minus that of another.

    Args:
        interval: over micrographs, both methods drawn together.
        test: exchange of the methods within micrographs.
        exact: whether all exchanges were made.
    """

    interval: Interval
    test: Exchange
    exact: bool

    @property
    def value(self) -> float:
        """AP(one) - AP(two), NaN without targets."""
        return self.test.value

    @property
    def p(self) -> float:
        """Probability of as large a difference, of either sign, if the methods were alike."""
        return self.test.p


def difference(
    one: Sequence[Scored],
    two: Sequence[Scored],
    draws: int = 2000,
    exchanges: int = 2047,
    seed: int = 0,
) -> Difference:
    """Compare two methods, whatever the order of the micrographs.

    Args:
        one: micrographs as one method picked them.
        two: the same micrographs in the same order, as another did.
        draws: bootstrap samples.
        exchanges: the most to make; all are made where there are no more (12 micrographs for 2047).
        seed: of the draws and of random exchanges.

    Raises:
        CryoccdError: there are no micrographs, or they are not the same.
    """
    if not one or [part.n_targets for part in one] != [part.n_targets for part in two]:
        raise CryoccdError(
            f"picking difference: {len(one)} and {len(two)} micrographs with "
            f"{sum(part.n_targets for part in one)} and {sum(part.n_targets for part in two)} "
            "targets, expected the same ones in the same order; score both methods on one test set"
        )
    pairs = canonical_order(list(zip(one, two, strict=True)), _gap)
    n = len(pairs)
    exact = 2 ** (n - 1) - 1 <= exchanges
    swaps = _all_swaps(n) if exact else _random_swaps(n, exchanges, seed)
    null = tuple(_gap([p[::-1] if s else p for p, s in zip(pairs, x, strict=True)]) for x in swaps)
    test = Exchange(_gap(pairs), null, 0.0, 2 ** (n - 1))
    return Difference(interval(pairs, _gap, draws, seed), test, exact)


def _gap(pairs: Sequence[Pair]) -> float:
    return average_precision([one for one, _ in pairs]) - average_precision(
        [two for _, two in pairs]
    )


def _all_swaps(n: int) -> Iterator[tuple[bool, ...]]:
    """All but none; the first stays, as to exchange all the others is to exchange it alone."""
    everything = ((False, *rest) for rest in product((False, True), repeat=n - 1))
    next(everything)
    return everything


def _random_swaps(n: int, count: int, seed: int) -> Iterator[tuple[bool, ...]]:
    rng = np.random.default_rng(item_seed(seed, "picking exchange"))
    return (tuple(swap) for swap in (rng.random((count, n)) < 0.5).tolist())
