from math import isnan, nan, sqrt
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy.stats import t as student_t

from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.intervals import interval
from cryoccd.metrics.picking.scored import Scored


def micrograph(rng, particles=20):
    """Contrast and offset of the scores vary between micrographs; a tenth is never found."""
    n = int(rng.poisson(particles))
    contrast, offset = rng.normal(1.5, 0.5), rng.normal(0, 0.3)
    found, false = rng.binomial(n, 0.9), rng.poisson(particles)
    scores = offset + rng.standard_normal(found + false)
    hits = np.arange(found + false) < found
    return Scored(np.where(hits, scores + contrast, scores), hits, n)


def test_of_a_mean_it_is_the_interval_of_student():
    rng = np.random.default_rng(0)
    for n in (8, 15, 60):
        x = rng.standard_normal(n).tolist()
        found = interval(x, fmean, draws=8000)
        reach = student_t.ppf(0.975, n - 1) * stdev(x) / sqrt(n)
        assert found.kind == "bootstrap95"
        assert (found.low + found.high) / 2 == pytest.approx(fmean(x), abs=0.15 * reach)
        assert (found.high - found.low) / 2 == pytest.approx(reach, rel=0.12)


@pytest.mark.parametrize("n", [8, 16])
def test_it_covers_the_average_precision_of_all_micrographs(n):
    rng = np.random.default_rng(1)
    truth = average_precision([micrograph(rng) for _ in range(4000)])
    inside, trials = 0, 80
    for k in range(trials):
        ends = interval([micrograph(rng) for _ in range(n)], average_precision, 300, seed=k)
        inside += ends.low <= truth <= ends.high
    assert inside / trials >= 0.88


def test_micrographs_are_drawn_and_not_picks():
    # each is found as a whole or not at all: a bootstrap over 800 picks would give 0.5 +- 0.05
    whole = Scored(np.ones(100), np.ones(100, dtype=bool), 100)
    lost = Scored(np.zeros(0), np.zeros(0, dtype=bool), 100)
    ends = interval([whole, lost] * 4, average_precision)
    assert ends.low < 0.15
    assert ends.high > 0.85


def test_few_micrographs_give_the_range_without_each():
    x = [1.0, 2.0, 4.0, 8.0]
    found = interval(x, fmean)
    assert found.kind == "range"
    assert (found.low, found.high) == pytest.approx((7 / 3, 14 / 3))


def test_undefined_estimates_give_none():
    assert interval([], lambda parts: nan).kind == "none"
    assert interval([1.0], fmean).kind == "none"
    assert interval([1.0] * 10, lambda parts: nan).kind == "none"
    no_target = Scored(np.zeros(0), np.zeros(0, dtype=bool), 0)
    one_target = Scored(np.ones(1), np.ones(1, dtype=bool), 1)
    assert isnan(average_precision([no_target]))
    assert interval([no_target, one_target], average_precision).kind == "none"


def test_it_is_the_same_again_and_in_any_order_and_another_with_another_seed():
    rng = np.random.default_rng(2)
    parts = [micrograph(rng) for _ in range(10)]
    first = interval(parts, average_precision, 200)
    assert interval(parts, average_precision, 200) == first
    assert interval([parts[i] for i in rng.permutation(10)], average_precision, 200) == first
    assert interval(parts, average_precision, 200, seed=1) != first
