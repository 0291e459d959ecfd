from dataclasses import replace
from math import log10

import numpy as np
import pytest
import torch
from volume_toys import toy_boxes, wedged, white

from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume import BoxSet, phase_randomised, standardised
from cryoccd.metrics.volume.correlation import blurred
from cryoccd.metrics.volume.shells import Frequencies, windowed_power
from cryoccd.metrics.volume.spectrum import FIRST_SHELL, shell_power, spectrum_db
from cryoccd.metrics.volume.wedge import wedge_error_db, wedge_powers, wedge_ratio


def box_set(volumes: torch.Tensor) -> BoxSet:
    n = len(volumes)
    groups = np.array([str(k) for k in range(n)])
    labels = torch.zeros(n, dtype=torch.int64)
    return BoxSet(standardised(volumes), labels, groups, 10.0, ("one",))


def test_white_noise_has_the_power_of_its_variance_in_every_shell():
    power = shell_power(3 * white(40, 0, 16)).mean(0)
    assert torch.allclose(power, torch.full_like(power, 9.0), rtol=0.15)


def test_power_agrees_with_a_full_transform():
    volume = white(1, 2, 8)
    edge = np.hanning(9)[:8]
    window = edge[:, None, None] * edge[:, None] * edge
    values = volume[0].double().numpy()
    values = values - (values * window).sum() / window.sum()
    full = np.abs(np.fft.fftn(values * window)) ** 2 / (window**2).sum()
    k = np.fft.fftfreq(8, 1 / 8)
    radius = np.rint(np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2))
    expected = [full[radius == shell].mean() for shell in range(FIRST_SHELL, 4)]
    assert np.allclose(shell_power(volume)[0].numpy(), expected, rtol=1e-4)
    assert float(Frequencies.of(8).count.sum()) == 8**3
    everything = windowed_power(volume, Frequencies.of(8).count[None])
    assert float(everything) == pytest.approx(full.sum(), rel=1e-4)


def test_a_blur_is_seen_by_as_many_decibels_as_it_takes():
    volumes, sigma = white(30, 3), 0.6
    real, made = box_set(volumes), box_set(blurred(volumes, sigma))
    shell = torch.arange(FIRST_SHELL, 15) / 32
    fall_db = 10 * log10(float(np.e)) * -4 * (torch.pi * sigma * shell) ** 2
    gain_db = -10 * log10(float(blurred(volumes, sigma).var()))  # both are standardised
    expected = float((fall_db + gain_db).abs().mean())
    metric = spectrum_db(real, made)
    assert metric.value == pytest.approx(expected, abs=0.3)
    assert metric.ci_low < expected < metric.ci_high or metric.value < 1.1 * expected
    assert spectrum_db(real, real).value == 0
    assert spectrum_db(real, box_set(white(30, 4))).value < 0.3 < 0.2 * expected


def test_spectra_are_compared_class_by_class():
    boxes = toy_boxes(4)
    swapped = replace(boxes, labels=(boxes.labels + 1) % 3)
    assert spectrum_db(boxes, boxes).value == 0
    assert spectrum_db(boxes, swapped).value > 0.3


def expected_ratio(tilt_limit_deg: float, filled: float, side: int = 32) -> float:
    """Of noise of density 1 + filled^2 beside the wedge and filled^2 in it: |W|^2 smears both."""
    k = np.fft.fftfreq(side, 1 / side)
    z, y, x = np.meshgrid(k, k, k, indexing="ij")
    tilt_deg = np.rad2deg(np.arctan2(np.abs(z), np.abs(x)))
    density = (tilt_deg <= tilt_limit_deg) + filled**2
    edge = np.hanning(side + 1)[:side]
    smear = np.abs(np.fft.fftn(edge[:, None, None] * edge[:, None] * edge)) ** 2
    power = np.fft.ifftn(np.fft.fftn(density) * np.fft.fftn(smear)).real
    radius, away = np.sqrt(x**2 + y**2 + z**2), np.hypot(x, z)
    band = (radius >= 0.08 * side) & (radius <= 0.22 * side) & (away >= 2)
    outside = band & (tilt_deg < tilt_limit_deg - 15)
    return float(power[band & (tilt_deg > tilt_limit_deg)].mean() / power[outside].mean())


@pytest.mark.parametrize("tilt_limit_deg", [45.0, 60.0, 70.0])
@pytest.mark.parametrize("filled", [0.0, 0.3, 1.0])
def test_the_wedge_ratio_of_part_filled_noise_is_its_share_smeared(tilt_limit_deg, filled):
    volumes = wedged(white(24, 5), tilt_limit_deg) + filled * white(24, 6)
    expected = expected_ratio(tilt_limit_deg, filled)
    assert wedge_ratio(volumes, tilt_limit_deg) == pytest.approx(expected, rel=0.06)


def test_a_larger_box_tells_the_wedge_better():
    empty = [expected_ratio(60, 0, side) for side in (32, 64)]
    assert empty[1] < 0.06 < 0.1 < empty[0] < 0.15
    half = expected_ratio(60, 1, 64)
    assert half == pytest.approx(0.5, abs=0.03)


def test_white_noise_fills_the_wedge_and_a_missing_one_is_empty():
    assert wedge_ratio(white(40, 7)) == pytest.approx(1, abs=0.02)
    assert wedge_ratio(wedged(white(24, 7))) < 0.15
    # the wedge is about kz in the kx-kz plane: turned about z it is another
    turned = wedged(white(24, 7)).transpose(2, 3)
    assert wedge_ratio(turned) > 0.3
    with pytest.raises(CryoccdError, match="tilt_limit_deg = 5"):
        wedge_powers(white(1, 0), 5)


def test_a_filled_wedge_is_an_error_in_decibels():
    volumes = white(24, 8)
    real, made = box_set(wedged(volumes)), box_set(volumes)
    metric = wedge_error_db(real, made)
    ratio, full = (wedge_ratio(side.volumes) for side in (real, made))
    assert metric.value == pytest.approx(10 * log10(full / ratio), abs=1e-4)
    assert metric.value == pytest.approx(-10 * log10(expected_ratio(60, 0)), abs=0.5)
    assert metric.ci_low < metric.value < metric.ci_high
    assert f"{ratio:.3f} real" in metric.note
    assert wedge_error_db(real, real).value == 0
    fresh = box_set(wedged(white(24, 9)))
    assert wedge_error_db(real, fresh).value < 0.5
    assert wedge_error_db(real, phase_randomised(real)).value < 1.5
