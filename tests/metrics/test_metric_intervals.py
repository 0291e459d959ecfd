from math import nan, sqrt
from statistics import fmean, variance

import pytest
import torch
from scipy.stats import t as student_t

from cryoccd.metrics.features.frechet import FeatureStatistics, frechet_distance, merge
from cryoccd.metrics.statistics.intervals import block_jackknife


def test_a_difference_of_means_gets_the_interval_of_welch():
    # one block a micrograph: the jackknife of a mean is its textbook standard error
    real = [0.3, 1.2, -0.4, 2.2, 0.9, 1.4, 0.0, 0.8]
    made = [3.1, 2.0, 5.2, 4.1, 1.9, 2.7, 3.3, 4.4]

    def estimate(i, j):
        return fmean(made[k] for k in j) - fmean(real[k] for k in i)

    found = block_jackknife(estimate, 8, 8)
    v = [variance(real) / 8, variance(made) / 8]
    freedom = sum(v) ** 2 / (v[0] ** 2 / 7 + v[1] ** 2 / 7)
    reach = student_t.ppf(0.975, freedom) * sqrt(sum(v))
    centre = estimate(range(8), range(8))
    assert found.kind == "jackknife95"
    assert found.low == pytest.approx(centre - reach)
    assert found.high == pytest.approx(centre + reach)


def test_unequal_blocks_keep_the_variance_of_a_mean():
    # 23 micrographs in ten blocks of two or three; the mean over many draws is the true variance
    generator = torch.Generator().manual_seed(0)
    widths = []
    for _ in range(200):
        x = torch.randn(23, generator=generator).tolist()
        ends = block_jackknife(lambda i, j, x=x: fmean(x[k] for k in i), 23, 8)
        widths.append((ends.high - ends.low) ** 2 / 4)
    expected = student_t.ppf(0.975, 9) ** 2 / 23
    assert fmean(widths) == pytest.approx(expected, rel=0.1)


def test_few_micrographs_give_a_range_and_undefined_ones_nothing():
    x = [1.0, 2.0, 4.0, 8.0]
    found = block_jackknife(lambda i, j: fmean(x[k] for k in i), 4, 20)
    assert found.kind == "range"
    assert (found.low, found.high) == pytest.approx((7 / 3, 14 / 3))
    assert block_jackknife(lambda i, j: 0.0, 1, 20).kind == "none"
    assert block_jackknife(lambda i, j: nan if 3 not in i else 1.0, 20, 20).kind == "none"
    assert block_jackknife(lambda i, j: 2.0, 20, 20).low == 2.0


def micrographs(count, crops, scale, shift, generator):
    """Features in three dimensions; a fifth of the variance is common to a micrograph."""
    features = []
    for _ in range(count):
        common = torch.randn(1, 3, generator=generator) * sqrt(0.2)
        own = torch.randn(crops, 3, generator=generator) * sqrt(0.8)
        features.append(shift + scale * (common + own))
    return [FeatureStatistics.of(f) for f in features]


def fd(real, made):
    return lambda i, j: frechet_distance(merge([real[k] for k in i]), merge([made[k] for k in j]))


def test_coverage_on_gaussians_at_a_known_distance():
    scale, shift = 1.5, 1.0
    truth = 3 * shift**2 + 3 * (scale - 1) ** 2
    hits, trials = 0, 40
    generator = torch.Generator().manual_seed(1)
    for _ in range(trials):
        real = micrographs(20, 30, 1.0, 0.0, generator)
        made = micrographs(20, 30, scale, shift, generator)
        ends = block_jackknife(fd(real, made), 20, 20)
        hits += ends.low <= truth <= ends.high
    assert 0.85 <= hits / trials <= 1.0


def test_a_percentile_bootstrap_misses_its_own_estimate():
    # the reason for the jackknife: repeats shrink covariances and push every distance up
    generator = torch.Generator().manual_seed(2)
    real = torch.randn(80, 40, generator=generator)
    made = torch.randn(80, 40, generator=generator)

    def distance(a, b):
        return frechet_distance(FeatureStatistics.of(a), FeatureStatistics.of(b))

    estimate = distance(real, made)
    draws = []
    for _ in range(60):
        i, j = (torch.randint(80, (80,), generator=generator) for _ in range(2))
        draws.append(distance(real[i], made[j]))
    low = sorted(draws)[1]  # about the 2.5th percentile
    assert low > estimate
    blocks = [[FeatureStatistics.of(b) for b in side.view(10, 8, 40)] for side in (real, made)]
    ends = block_jackknife(fd(*blocks), 10, 10)
    assert ends.low < estimate < ends.high
