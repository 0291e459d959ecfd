from itertools import pairwise

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.scene.ice import IceConfig, draw_thickness_A


def maps(config, n=300, shape=(256, 256)):
    return np.stack([draw_thickness_A(config, shape, np.random.default_rng(i)) for i in range(n)])


def test_means_are_log_normal():
    means = maps(IceConfig(median_A=400, sigma_log=0.3, roughness=0.1, minimum_A=1)).mean((1, 2))
    assert np.log(means).mean() == pytest.approx(np.log(400), abs=4 * 0.3 / np.sqrt(300))
    assert np.log(means).std() == pytest.approx(0.3, rel=0.2)


def test_roughness_is_the_spread_of_log_thickness_and_smooth():
    thickness = maps(IceConfig(400, 0.0, 0.2, 1), n=5, shape=(512, 512))
    assert np.log(thickness).std((1, 2)) == pytest.approx(0.2, rel=1e-3)
    steps = np.abs(np.diff(np.log(thickness), axis=2))
    assert steps.max() < 0.2 / 2  # white noise of this spread would step by far more


def test_the_field_is_fractal():
    """Power falls with frequency in every octave."""
    logs = np.log(maps(IceConfig(400, 0.0, 0.2, 1), n=40, shape=(512, 512)))
    window = np.hanning(64)[:, None] * np.hanning(64)
    power = (np.abs(np.fft.rfft2((logs - logs.mean((1, 2), keepdims=True)) * window)) ** 2).mean(0)
    octaves = [power[0, low : 2 * low].mean() for low in (1, 2, 4, 8, 16)]
    assert all(a > b for a, b in pairwise(octaves))


def test_flat_and_minimum_and_shape():
    flat = draw_thickness_A(IceConfig(300, 0, 0, 100), (100, 61), np.random.default_rng(0))
    assert flat.shape == (13, 8)
    assert flat.dtype == np.float32
    assert flat == pytest.approx(300)
    thin = draw_thickness_A(IceConfig(110, 0, 0.5, 100), (512, 512), np.random.default_rng(0))
    assert thin.min() == 100


@pytest.mark.parametrize(
    ("field", "value"),
    [("median_A", 50.0), ("median_A", 1e6), ("sigma_log", -1.0), ("roughness", 3.0)],
)
def test_unphysical_values_are_refused(field, value):
    with pytest.raises(CryoccdError, match=field):
        IceConfig(**{field: value})


def test_a_wedge_is_a_plane_of_the_mean_and_rise_asked_for():
    rows, columns = np.mgrid[:32, :32].reshape(2, -1)
    slopes = []
    for thickness in maps(IceConfig(400, 0.0, 0.0, 1, wedge=0.5), n=60):
        design = np.column_stack([columns, rows, np.ones(1024)])
        (along_x, along_y, offset), *_ = np.linalg.lstsq(design, thickness.ravel(), rcond=None)
        plane = (design @ [along_x, along_y, offset]).reshape(32, 32)
        assert thickness == pytest.approx(plane, rel=1e-4)
        assert thickness.mean() == pytest.approx(400, rel=1e-4)
        assert np.hypot(along_x, along_y) * 31 == pytest.approx(0.5 * 400, rel=1e-3)
        slopes.append(np.arctan2(along_y, along_x))
    quadrants = np.bincount(((np.array(slopes) + np.pi) // (np.pi / 2)).astype(int), minlength=4)
    assert quadrants.min() >= 5


def test_a_steep_wedge_keeps_the_minimum():
    thickness = maps(IceConfig(400, 0.0, 0.1, 150, wedge=1.8), n=5)
    assert thickness.min() == 150
    with pytest.raises(CryoccdError, match="wedge"):
        IceConfig(wedge=2.5)
