import math

import pytest
from report_fixtures import entry
from scipy.stats import norm

from cryoccd.report.figure import combine, distance, p_better


def test_one_seed_keeps_its_interval():
    figure = combine([entry(2.0, 0.5)])
    assert (figure.value, figure.low, figure.high) == (2.0, 1.5, 2.5)
    assert figure.standard_error == pytest.approx(0.5 / norm.ppf(0.975))


def test_several_seeds_give_mean_range_and_added_scatter():
    figure = combine([entry(1.0, 0.98), entry(2.0, 0.98, n=12), entry(6.0, 0.98)])
    assert (figure.value, figure.low, figure.high, figure.n) == (3.0, 1.0, 6.0, 12)
    assert figure.interval == "seeds"
    within, between = 0.98 / norm.ppf(0.975), 7 / 3  # variance of 1, 2, 6 is 7
    assert figure.standard_error == pytest.approx(math.sqrt(within**2 + between))


def test_one_undefined_seed_makes_it_undefined():
    figure = combine([entry(1.0), entry(None, note="no picks")])
    assert figure.value is None
    assert figure.note == "no picks"


def test_p_value_against_the_normal_distribution():
    floor, row = combine([entry(1.0, 0.2)]), combine([entry(0.8, 0.1)])
    error = math.hypot(0.2, 0.1) / norm.ppf(0.975)
    assert p_better("fd_scattering", row, floor) == pytest.approx(norm.cdf(-0.2 / error))
    assert p_better("fd_scattering", floor, row) > 0.5


def test_ranges_and_undefined_figures_are_not_tested():
    floor = combine([entry(1.0)])
    for other in (entry(0.1, interval="range"), entry(0.1, None), entry(None, note="x")):
        assert p_better("fd_scattering", combine([other]), floor) is None
        assert p_better("fd_scattering", floor, combine([other])) is None


def test_signed_metrics_are_compared_by_their_distance_from_the_target():
    assert distance("contrast_error_db", -3.0) == 3.0
    assert distance("signal_slope_20_10", 0.75) == distance("signal_slope_20_10", 1.25) == 0.25
    assert distance("kid_scattering", -0.1) == 0.1
    floor = combine([entry(0.5)])
    assert p_better("contrast_error_db", combine([entry(-3.0)]), floor) > 0.99
    assert p_better("contrast_error_db", combine([entry(-0.05)]), floor) < 0.05


def test_exact_figures_compare_without_an_error():
    floor, less = combine([entry(1.0, 0.0)]), combine([entry(0.9, 0.0)])
    assert p_better("fd_scattering", less, floor) == 0.0
    assert p_better("fd_scattering", floor, floor) == 1.0
