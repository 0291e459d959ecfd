from itertools import product
from math import isnan, sqrt
from statistics import fmean, stdev

import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.two_sample import RIDGE, TwoSampleClassifier

MEASURE = TwoSampleClassifier(ScatteringExtractor(64))


def draw(seed, micrographs=6, crops=4, d=10, shift=0.0, common=0.7):
    """Features; those of one micrograph share an offset of sd `common`."""
    generator = torch.Generator().manual_seed(seed)
    return [
        shift
        + common * torch.randn(1, d, generator=generator)
        + torch.randn(crops, d, generator=generator)
        for _ in range(micrographs)
    ]


def auc(real, made):
    return MEASURE.compare(real, made)["classifier_auc"]


@pytest.mark.parametrize("d", [10, 60])
def test_agrees_with_fits_repeated_for_every_pair(d):
    real, made = draw(0, 4, d=d), draw(1, 5, d=d, shift=0.2)
    features = torch.cat([*real, *made]).double()
    z = ((features - features.mean(0)) / features.std(0, correction=0)).numpy()
    owner = torch.arange(9).repeat_interleave(4).numpy()
    y = 2.0 * (owner >= 4) - 1
    shares = []
    for i, j in product(range(4), range(4, 9)):
        held = (owner == i) | (owner == j)
        fit = Ridge(alpha=RIDGE * len(z)).fit(z[~held], y[~held])
        shares.append(roc_auc_score(y[held], fit.predict(z[held])))
    assert auc(real, made) == pytest.approx(fmean(shares), abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(6, 6), (4, 8)])
def test_equal_distributions_give_one_half_without_bias(n, m):
    trials = [auc(draw(2 * k, n), draw(2 * k + 1, m)) for k in range(150)]
    assert abs(fmean(trials) - 0.5) < 3 * stdev(trials) / sqrt(150)
    assert stdev(trials) / sqrt(150) < 0.015


def test_grows_with_the_fault():
    found = [fmean(auc(draw(k), draw(50 + k, shift=s)) for k in range(5)) for s in (0, 0.3, 0.6, 2)]
    assert 0.35 < found[0] < found[1] < found[2] < found[3]
    assert found[3] > 0.99


def test_crops_of_a_micrograph_are_never_on_both_sides():
    # micrographs that differ far more than crops: one seen before would be known again
    real, made = draw(0, 8, common=30.0), draw(1, 8, common=30.0)
    leaking = [[crop for x in side for crop in x.split(1)] for side in (real, made)]
    assert auc(*leaking) > 0.8
    assert auc(real, made) < 0.65


def test_neither_order_nor_side_matters():
    real, made = draw(0), draw(1, shift=0.3)
    found = auc(real, made)
    assert auc(real[::-1], made[2:] + made[:2]) == pytest.approx(found, abs=1e-9)
    assert auc(made, real) == pytest.approx(found, abs=1e-9)


def test_a_pool_gives_the_figures_of_any_disjoint_choice():
    pool = draw(0, 4) + draw(1, 6, shift=0.5)
    estimate = MEASURE.estimator(pool, pool)
    for i, j in (((0, 1, 2, 3), (4, 5, 6, 7, 8, 9)), ((5, 1, 8), (0, 9, 3)), ((4, 5), (1, 0))):
        expected = auc([pool[k] for k in i], [pool[k] for k in j])
        assert estimate(i, j)["classifier_auc"] == pytest.approx(expected, abs=1e-12)


def test_poor_data():
    assert isnan(auc(draw(0, 1), draw(1, 5)))
    assert isnan(auc([], draw(0)))
    same = [torch.ones(4, 3) * 0.1 for _ in range(3)]
    assert auc(same, same[:2]) == 0.5
