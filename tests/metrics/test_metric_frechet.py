import pytest
import torch
from scipy.linalg import sqrtm
from torchmetrics.image.fid import _compute_fid

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.frechet import FeatureStatistics, frechet_distance, merge


def features(n, d, seed, scale=1.0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=generator, dtype=torch.float64) / d**0.5
    return shift + scale * torch.randn(n, d, generator=generator, dtype=torch.float64) @ mixing


def distance(a, b):
    return frechet_distance(FeatureStatistics.of(a), FeatureStatistics.of(b))


def test_agrees_with_scipy_and_torchmetrics():
    a, b = features(300, 12, 0), features(250, 12, 1, 1.3, 0.2)
    mean_gap = float((a.mean(0) - b.mean(0)).square().sum())
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    root = torch.tensor(sqrtm((cov_a @ cov_b).numpy()).real)
    expected = mean_gap + float((cov_a + cov_b - 2 * root).trace())
    assert distance(a, b) == pytest.approx(expected, rel=1e-9)
    published = float(_compute_fid(a.mean(0), cov_a, b.mean(0), cov_b))
    assert distance(a, b) == pytest.approx(published, rel=1e-9)


def test_one_dimension_has_a_closed_form():
    a, b = features(500, 1, 0), features(400, 1, 1, 2.0, 1.0)
    expected = float((a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2)
    assert distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_fewer_features_than_dimensions_is_exact():
    # the same features in a space with 50 more, empty dimensions, turned at random
    a, b = features(20, 6, 0), features(15, 6, 1, 1.5)
    turn = torch.linalg.qr(features(56, 56, 2)).Q[:6]
    assert distance(a @ turn, b @ turn) == pytest.approx(distance(a, b), rel=1e-9)
    # orthogonal supports: nothing in common, the traces add
    one, two = torch.eye(40, dtype=torch.float64)[:10], torch.eye(40, dtype=torch.float64)[20:30]
    c, d = features(10, 10, 3) @ one, features(10, 10, 4) @ two
    gap = float((c.mean(0) - d.mean(0)).square().sum())
    traces = float(torch.cov(c.T).trace() + torch.cov(d.T).trace())
    assert distance(c, d) == pytest.approx(gap + traces, rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(300, 20), (30, 200)])
def test_equal_sets_are_at_zero(n, d):
    a = features(n, d, 0, 5.0)
    assert abs(distance(a, a)) <= 1e-8
    shuffled = a[torch.randperm(n, generator=torch.Generator().manual_seed(0))]
    assert abs(distance(a, shuffled)) <= 1e-8


@pytest.mark.parametrize(("n", "d"), [(60, 8), (60, 100)])
def test_statistics_merge_exactly(n, d):
    a, b = features(n, d, 0, 1.0, 3.0), features(n, d, 1)
    parts = merge([FeatureStatistics.of(part) for part in (a[:7], a[7:8], a[8:41], a[41:])])
    whole = FeatureStatistics.of(a)
    other = FeatureStatistics.of(b)
    assert parts.count == n
    torch.testing.assert_close(parts.mean, whole.mean)
    torch.testing.assert_close(parts.root.T @ parts.root, whole.root.T @ whole.root)
    assert frechet_distance(parts, other) == pytest.approx(frechet_distance(whole, other), rel=1e-9)
    assert len(parts.root) <= d


def test_a_single_feature_is_refused():
    with pytest.raises(CryoccdError, match="one feature"):
        distance(features(1, 3, 0), features(5, 3, 0))
