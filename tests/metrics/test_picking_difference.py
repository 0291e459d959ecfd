from itertools import product
from math import isnan

import numpy as np
import pytest
from scipy.stats import kstest

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.difference import difference
from cryoccd.metrics.picking.scored import Scored


def pair(rng, gain=0.0, particles=15):
    """One micrograph, as picked by two methods of which the first has more contrast."""
    n, common = int(rng.poisson(particles)) + 1, rng.normal(1, 0.5)
    return tuple(
        Scored(
            rng.standard_normal(2 * n) + np.repeat([common + more, 0.0], n),
            np.repeat([True, False], n),
            n + 2,
        )
        for more in (gain, 0.0)
    )


def columns(pairs):
    return [one for one, _ in pairs], [two for _, two in pairs]


def test_few_micrographs_are_exchanged_in_every_way():
    rng = np.random.default_rng(0)
    pairs = [pair(rng, 0.5) for _ in range(6)]
    found = difference(*columns(pairs), draws=10)
    observed = average_precision(columns(pairs)[0]) - average_precision(columns(pairs)[1])
    every = []
    for swap in product([False, True], repeat=6):
        one, two = columns([p[::-1] if s else p for p, s in zip(pairs, swap, strict=True)])
        every.append(average_precision(one) - average_precision(two))
    assert found.exact
    assert found.value == pytest.approx(observed)
    assert found.p == pytest.approx(np.mean(np.abs(every) >= abs(observed) - 1e-12))
    assert found.interval.kind == "range"


def test_random_exchanges_come_near_to_all():
    rng = np.random.default_rng(1)
    one, two = columns([pair(rng, 0.3) for _ in range(10)])
    every = difference(one, two, draws=10)
    some = difference(one, two, draws=10, exchanges=400)
    assert every.exact
    assert not some.exact
    assert len(every.test.null) == 2**9 - 1
    assert some.p == pytest.approx(every.p, abs=4 * np.sqrt(every.p * (1 - every.p) / 400))


@pytest.mark.parametrize("exchanges", [127, 99])
def test_p_is_uniform_where_the_methods_are_alike(exchanges):
    rng = np.random.default_rng(2)
    p_values = []
    for k in range(150):
        one, two = columns([pair(rng) for _ in range(8)])
        found = difference(one, two, draws=2, exchanges=exchanges, seed=k)
        assert found.exact == (exchanges == 127)
        p_values.append(found.p - 0.5 / (len(found.test.null) + 1))
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_better_method_is_found_by_pairs_that_differ_far_more_among_themselves():
    rng = np.random.default_rng(3)
    pairs = []
    for k in range(10):
        n = 20
        contrast = k / 3  # from blind to perfect
        scores = rng.standard_normal(2 * n) + np.repeat([contrast, 0.0], n)
        hits = np.repeat([True, False], n)
        pairs.append(tuple(Scored(scores + np.repeat([m, 0.0], n), hits, n) for m in (0.3, 0.0)))
    found = difference(*columns(pairs), draws=500)
    assert found.p < 0.01
    assert found.interval.kind == "bootstrap95"
    assert 0 < found.interval.low < found.value < found.interval.high
    swapped = difference(*reversed(columns(pairs)), draws=500)
    assert swapped.value == -found.value
    assert swapped.p == found.p


@pytest.mark.parametrize("exchanges", [2047, 50])
def test_neither_repeating_nor_the_order_of_micrographs_changes_anything(exchanges):
    rng = np.random.default_rng(4)
    pairs = [pair(rng, 0.2) for _ in range(9)]
    first = difference(*columns(pairs), draws=50, exchanges=exchanges)
    moved = [pairs[i] for i in rng.permutation(9)]
    again = difference(*columns(moved), draws=50, exchanges=exchanges)
    assert again == first


def test_a_method_does_not_differ_from_itself():
    rng = np.random.default_rng(5)
    one = [pair(rng)[0] for _ in range(8)]
    found = difference(one, one, draws=20)
    assert (found.value, found.p) == (0.0, 1.0)
    assert (found.interval.low, found.interval.high) == (0.0, 0.0)


def test_only_the_same_micrographs_are_compared():
    rng = np.random.default_rng(6)
    one, two = columns([pair(rng) for _ in range(3)])
    for other in (two[:2], two[::-1], []):
        with pytest.raises(CryoccdError, match="the same ones in the same order"):
            difference(one, other)
    with pytest.raises(CryoccdError, match="0 and 0 micrographs"):
        difference([], [])


def test_without_targets_nothing_is_said():
    empty = Scored(np.zeros(0), np.zeros(0, dtype=bool), 0)
    found = difference([empty] * 3, [empty] * 3)
    assert isnan(found.value)
    assert isnan(found.p)
    assert found.interval.kind == "none"
