from itertools import combinations, product
from math import inf, isnan, nan, sqrt
from statistics import fmean

import pytest
import torch
from scipy.stats import kstest

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.feature_distance import FeatureDistance
from cryoccd.metrics.features.two_sample import TwoSampleClassifier
from cryoccd.metrics.measure import Figure, Measure
from cryoccd.metrics.statistics.permutation import Exchange, exchange_methods, exchange_sides
from cryoccd.metrics.statistics.verdict import permutations_needed, smallest_seen, verdicts


class Means(Measure[float]):
    """Difference of the means, and a ratio around 1."""

    figures = (Figure("gap", 0.0, ""), Figure("ratio", 1.0, ""))

    def describe(self, field):
        return float(field.image.mean())

    def compare(self, real, made):
        one, two = fmean(real), fmean(made)
        return {"gap": two - one, "ratio": (10 + two) / (10 + one)}


class Own(Means):
    """Of generated micrographs alone."""

    sides = ("generated",)

    def compare(self, real, made):
        assert not real
        return {"gap": fmean(made), "ratio": nan}


def draw(seed, n, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return (shift + torch.randn(n, generator=generator, dtype=torch.float64)).tolist()


def crops(seed, n, shift=0.0):
    """Features, those of one micrograph with an offset in common."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn(n, 1, 20, generator=generator)
    return list(shift + common + torch.randn(n, 3, 20, generator=generator))


def uniform(p_values, permutations):
    """Of a KS test, with the p-values moved to the middles of their steps."""
    middles = [p - 0.5 / (permutations + 1) for p in p_values]
    return kstest(middles, "uniform").pvalue


def test_p_is_uniform_where_nothing_differs():
    tests = [exchange_sides(Means(), draw(k, 7), draw(500 + k, 6), 49, k) for k in range(250)]
    for name in ("gap", "ratio"):
        assert uniform([test[name].p for test in tests], 49) > 0.01
    methods = [
        exchange_methods(Means(), draw(k, 5), draw(300 + k, 8), draw(600 + k, 8), 49, k)
        for k in range(250)
    ]
    assert uniform([test["gap"].p for test in methods], 49) > 0.01


@pytest.mark.parametrize("kind", [FeatureDistance, TwoSampleClassifier])
def test_p_of_crop_measures_is_uniform_although_crops_are_alike(kind):
    measure = kind(ScatteringExtractor(64))
    tests = [exchange_sides(measure, crops(k, 6), crops(500 + k, 6), 19, k) for k in range(60)]
    for figure in measure.figures:
        assert uniform([test[figure.name].p for test in tests], 19) > 0.01
    # to exchange single crops would find what is not there
    split = [
        exchange_sides(
            measure,
            [c for x in crops(k, 6) for c in x.split(1)],
            [c for x in crops(500 + k, 6) for c in x.split(1)],
            19,
            k,
        )
        for k in range(10)
    ]
    assert fmean(test[measure.figures[0].name].p for test in split) < 0.3
    far = exchange_sides(measure, crops(0, 8), crops(1, 8, shift=3.0), 99)
    assert all(far[figure.name].p < 0.03 for figure in measure.figures)


def test_the_null_is_that_of_all_exchanges():
    real, made = draw(0, 4), draw(1, 4, shift=1.0)
    pool = [*real, *made]
    test = exchange_sides(Means(), real, made, 4000)["gap"]
    every = []
    for i in combinations(range(8), 4):
        j = [k for k in range(8) if k not in i]
        every.append(abs(fmean(pool[k] for k in j) - fmean(pool[k] for k in i)))
    exact = sum(u >= abs(test.value) - 1e-12 for u in every) / len(every)
    assert test.p == pytest.approx(exact, abs=4 * sqrt(exact / 4000))
    assert test.distinct == 35
    assert len({round(abs(t), 9) for t in test.null}) == 35


def test_the_null_of_methods_is_that_of_all_swaps():
    one, two = draw(0, 6, shift=0.5), draw(1, 6)
    test = exchange_methods(Means(), draw(2, 5), one, two, 4000)["gap"]
    gaps = [a - b for a, b in zip(one, two, strict=True)]
    assert test.value == pytest.approx(fmean(gaps))
    every = [
        abs(fmean(s * g for s, g in zip(signs, gaps, strict=True)))
        for signs in product((1, -1), repeat=6)
    ]
    exact = sum(u >= abs(test.value) - 1e-12 for u in every) / len(every)
    assert test.p == pytest.approx(exact, abs=4 * sqrt(exact / 4000))
    assert test.distinct == 32
    alone = exchange_methods(Own(), [], one, two, 50)
    assert alone["gap"].value == pytest.approx(fmean(gaps))
    assert isnan(alone["ratio"].p)
    assert exchange_sides(Own(), [], one, 50) == {}
    # what one clean micrograph has in common with itself does not hide the difference
    base = [100 * x for x in draw(3, 6)]
    paired = [[x + y for x, y in zip(base, side, strict=True)] for side in (one, two)]
    assert exchange_methods(Means(), draw(2, 5), *paired, 4000)["gap"].p == test.p


def test_power_grows_with_the_micrographs_and_the_fault():
    def found(n, shift):
        tests = [exchange_sides(Means(), draw(k, n), draw(90 + k, n, shift), 39) for k in range(40)]
        return fmean(test["gap"].p <= 0.05 for test in tests)

    assert found(5, 1.2) < found(10, 1.2) < found(20, 1.2)
    assert found(10, 0.3) < found(10, 0.9) < found(10, 2.5) == 1


def test_the_detectable_fault_is_found_four_times_of_five():
    n = 16
    quiet = exchange_sides(Means(), draw(0, n), draw(1, n), 999)["gap"]
    critical, detectable = smallest_seen(quiet)
    assert critical == pytest.approx(1.96 * sqrt(2 / n), rel=0.25)
    assert detectable == pytest.approx(2.8 * sqrt(2 / n), rel=0.25)
    shift = 2.8 * sqrt(2 / n)
    hits = [
        exchange_sides(Means(), draw(2 * k, n), draw(2 * k + 1, n, shift), 99)["gap"].p <= 0.05
        for k in range(200)
    ]
    assert fmean(hits) == pytest.approx(0.8, abs=0.1)
    larger = exchange_sides(Means(), draw(0, 4 * n), draw(1, 4 * n), 999)["gap"]
    assert smallest_seen(larger)[1] < 0.7 * detectable


@pytest.mark.parametrize("level", [0.05, 0.01, 0.2])
def test_a_deviation_is_a_finding_just_above_the_critical_one(level):
    null = tuple(draw(0, 199))
    critical = Exchange(0.0, null, 0.0, 10**6).critical(level)
    assert Exchange(critical * 1.001, null, 0.0, 10**6).p <= level
    assert Exchange(-critical * 0.999, null, 0.0, 10**6).p > level


def test_too_few_exchanges_see_nothing_and_say_so():
    three = exchange_sides(Means(), draw(0, 3), draw(1, 3, shift=50.0), 199)["gap"]
    assert three.p > 0.05
    assert smallest_seen(three) == (inf, inf)
    assert Exchange(1.0, tuple(draw(0, 18)), 0.0, 10**6).critical(0.05) == inf
    assert Exchange(1.0, tuple(draw(0, 19)), 0.0, 10**6).critical(0.05) < inf
    # an undefined exchange counts as far off
    holes = Exchange(9.0, (*draw(0, 189), *[nan] * 10), 0.0, 10**6)
    assert holes.p == 11 / 200
    assert smallest_seen(holes)[1] == inf


def test_verdicts_are_corrected_for_the_figures_tested():
    null = tuple(draw(0, 199))
    tests = {f"figure {k}": Exchange(2.3, null, 0.0, 10**6) for k in range(10)}
    alone = verdicts({"one": tests["figure 0"], "undefined": Exchange(nan, null, 0.0, 10**6)})
    assert list(alone) == ["one"]
    assert not alone["one"].indistinguishable
    together = verdicts(tests)
    assert together["figure 3"].level == 0.005
    assert together["figure 3"].indistinguishable
    assert together["figure 3"].critical > 2.3 > alone["one"].critical
    assert alone["one"].detectable > alone["one"].critical
    assert verdicts({}) == {}
    assert [permutations_needed(m) for m in (1, 10, 40)] == [19, 199, 799]
    with pytest.raises(CryoccdError, match=r"permutations = 199, expected 219 .* 11 figures"):
        verdicts({**tests, "one more": tests["figure 0"]})


def test_seeded_and_refuses_what_cannot_be_paired():
    one, two = draw(0, 5), draw(1, 5)
    again = [exchange_sides(Means(), one, two, 30, seed)["gap"].null for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]
    with pytest.raises(CryoccdError, match="5 and 4 of two methods"):
        exchange_methods(Means(), one, one, two[:4])
