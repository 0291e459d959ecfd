import numpy as np
import pytest
from scipy.stats import kstest

from cryoccd.scene.orientation import uniform_so3

ALPHA = 1e-3


def p_values(eulers_deg):
    rot, tilt, psi = np.deg2rad(eulers_deg).T
    return [
        kstest(rot, "uniform", args=(-np.pi, 2 * np.pi)).pvalue,
        kstest(np.cos(tilt), "uniform", args=(-1, 2)).pvalue,
        kstest(psi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue,
    ]


def test_orientations_are_uniform_on_so3():
    eulers_deg = uniform_so3(8000, np.random.default_rng(1))
    assert eulers_deg.shape == (8000, 3)
    assert min(p_values(eulers_deg)) > ALPHA


def test_tilt_uniform_in_angle_is_rejected():
    generator = np.random.default_rng(2)
    eulers_deg = uniform_so3(8000, generator)
    eulers_deg[:, 1] = generator.uniform(0, 180, 8000)
    assert p_values(eulers_deg)[1] < ALPHA


def test_angles_are_independent():
    rot, tilt, psi = uniform_so3(8000, np.random.default_rng(3)).T
    correlation = np.corrcoef([rot, np.cos(np.deg2rad(tilt)), psi])
    assert np.abs(correlation - np.eye(3)).max() < 0.05


def test_same_seed_same_orientations():
    first, second, other = (uniform_so3(5, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_none():
    assert uniform_so3(0, np.random.default_rng(0)).shape == (0, 3)


@pytest.mark.parametrize("n", [1, 3])
def test_tilt_lies_in_its_range(n):
    tilt = uniform_so3(n, np.random.default_rng(n))[:, 1]
    assert ((tilt >= 0) & (tilt <= 180)).all()
