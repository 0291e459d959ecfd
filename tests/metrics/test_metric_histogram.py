import pytest
import torch
from scipy.stats import wasserstein_distance

from cryoccd.metrics.noise.histogram import value_fractions, wasserstein_1


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_shift_and_scale_have_closed_forms():
    x = normal(0, 200, 200)
    real = [value_fractions(x)]
    assert wasserstein_1(real, real) == 0
    assert wasserstein_1(real, [value_fractions(x + 0.3)]) == pytest.approx(0.3, abs=1e-4)
    # W1 of N(0, 1) and N(0, s) is |s - 1| sqrt(2 / pi)
    expected = 0.5 * float(x.abs().mean())
    assert wasserstein_1(real, [value_fractions(1.5 * x)]) == pytest.approx(expected, abs=1e-3)


def test_agrees_with_scipy_over_several_micrographs():
    one = [normal(i, 60, 50) for i in range(3)]
    two = [normal(i, 60, 50).abs() * 1.2 for i in range(3, 6)]
    expected = wasserstein_distance(torch.stack(one).flatten(), torch.stack(two).flatten())
    found = wasserstein_1([value_fractions(x) for x in one], [value_fractions(x) for x in two])
    assert found == pytest.approx(expected, abs=2e-3)


def test_every_micrograph_counts_the_same():
    small, large = torch.zeros(10, 10), torch.ones(100, 100)
    found = wasserstein_1(
        [value_fractions(small)], [value_fractions(small), value_fractions(large)]
    )
    assert found == pytest.approx(0.5)
