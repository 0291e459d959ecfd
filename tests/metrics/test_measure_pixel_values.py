from math import isnan

import pytest
import scipy.stats
import torch
from noise_fields import figures, noise, rises

from cryoccd.metrics.noise.histogram import value_fractions, wasserstein_1
from cryoccd.metrics.noise.pixel_values import PixelValues

REAL = [noise(i) for i in range(4)]
MADE = [noise(i) for i in range(4, 8)]


def errors(made, real=REAL):
    return figures(PixelValues(), real, made)


def test_two_draws_of_one_process_are_alike():
    found = errors(MADE)
    assert found["histogram_w1"] == wasserstein_1(
        [value_fractions(x) for x in REAL], [value_fractions(x) for x in MADE]
    )
    assert 0 < found["histogram_w1"] < 0.01
    assert abs(found["skew_error"]) < 0.02
    assert abs(found["kurtosis_error"]) < 0.04


def test_moments_are_those_of_scipy():
    made = [(0.3 * x).exp() for x in MADE]
    found, pixels = errors(made), [torch.stack(side).flatten().numpy() for side in (REAL, made)]
    skews = [float(scipy.stats.skew(x)) for x in pixels]
    tails = [float(scipy.stats.kurtosis(x)) for x in pixels]
    assert found["skew_error"] == pytest.approx(skews[1] - skews[0], abs=1e-3)
    assert found["kurtosis_error"] == pytest.approx(tails[1] - tails[0], abs=2e-3)
    # of a log-normal with s = 0.3, e = exp(s^2): (e + 2) sqrt(e - 1)
    assert found["skew_error"] == pytest.approx(0.95, abs=0.04)


def test_grow_with_skew_and_with_tails_each_alone():
    skewed = [errors([(s * x).expm1() / s for x in MADE])["skew_error"] for s in (0.05, 0.1, 0.2)]
    assert rises([0.0, *skewed], 0.1)
    assert errors([-(0.2 * x).expm1() / 0.2 for x in MADE])["skew_error"] == pytest.approx(
        -skewed[-1], abs=0.05
    )
    heavy = [errors([x + t * x**3 for x in MADE]) for t in (0.01, 0.03, 0.06)]
    assert rises([0.0, *(found["kurtosis_error"] for found in heavy)], 0.2)
    assert max(abs(found["skew_error"]) for found in heavy) < 0.1
    assert errors([x.clamp(-1.5, 1.5) for x in MADE])["kurtosis_error"] < -0.5  # clipping
    wider = [errors([s * x for x in MADE]) for s in (1.0, 1.1, 1.3)]
    assert rises([found["histogram_w1"] for found in wider], 0.05)
    assert abs(wider[-1]["kurtosis_error"] - wider[0]["kurtosis_error"]) < 1e-3


def test_every_micrograph_counts_the_same_and_no_order_counts():
    small, large = MADE[0][:64, :64], MADE[1]
    forth, back = errors([small, large]), errors([large, small])
    assert forth == pytest.approx(back, abs=1e-12)
    assert errors([small, large, large]) != pytest.approx(forth, abs=1e-6)
    assert errors([small, large, small, large]) == pytest.approx(forth, abs=1e-12)


def test_undefined_where_there_is_nothing():
    found = errors([torch.zeros(32, 32)])
    assert found["histogram_w1"] == pytest.approx(float(torch.stack(REAL).abs().mean()), abs=2e-3)
    assert isnan(found["skew_error"])
    assert isnan(found["kurtosis_error"])
    assert all(isnan(x) for x in PixelValues().compare([], []).values())
