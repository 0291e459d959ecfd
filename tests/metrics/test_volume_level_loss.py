import numpy as np
import pytest
from scipy.stats import sem

from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume import loss_by_level


def test_bins_have_means_and_standard_errors():
    rng = np.random.default_rng(0)
    errors, levels = rng.normal(size=400), rng.integers(0, 1000, 400)
    edges = [0, 100, 500, 999]
    found = loss_by_level(errors, levels, edges)
    kept = [levels < 100, (levels >= 100) & (levels < 500), levels >= 500]
    assert found.count.tolist() == [int(own.sum()) for own in kept]
    assert np.allclose(found.mean, [errors[own].mean() for own in kept])
    assert np.allclose(found.standard_error, [sem(errors[own]) for own in kept])


def test_empty_and_single_bins_are_undefined():
    found = loss_by_level([1.0, 2.0, 4.0], [0.1, 0.9, 1.0], [0, 0.2, 0.5, 1])
    assert found.count.tolist() == [1, 0, 2]
    assert found.mean[0] == 1
    assert found.mean[2] == 3
    assert np.isnan(found.mean[1])
    assert np.isnan(found.standard_error[:2]).all()
    assert found.standard_error[2] == pytest.approx(1)


@pytest.mark.parametrize(
    ("errors", "levels", "edges", "message"),
    [
        ([1.0], [1.0, 2.0], [0, 3], "errors \\(1,\\), levels \\(2,\\)"),
        ([1.0], [1.0], [3, 0], "expected ascending"),
        ([np.inf], [1.0], [0, 3], "error 0 is inf"),
        ([1.0], [4.0], [0, 3], "level 4, expected 0 to 3"),
        ([1.0], [np.nan], [0, 3], "level nan"),
    ],
)
def test_faulty_losses_are_refused(errors, levels, edges, message):
    with pytest.raises(CryoccdError, match=message):
        loss_by_level(errors, levels, edges)
