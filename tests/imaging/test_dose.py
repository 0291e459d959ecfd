from math import exp

import pytest
import torch
from scipy.integrate import quad

from cryoccd.errors import CryoccdError
from cryoccd.imaging.dose import DoseConfig, amplitude_left, frame_weights


@pytest.mark.parametrize("resolution_A", [20.0, 7.0, 3.0])
def test_mean_amplitude_is_the_integral_of_the_damage(resolution_A):
    k, dose = torch.tensor([1 / resolution_A]), DoseConfig()
    critical = 0.245 * resolution_A**1.665 + 2.81
    assert float(dose.critical_e_per_A2(k, 300)) == pytest.approx(critical, rel=1e-5)
    mean = quad(lambda n: exp(-n / (2 * critical)), 6, 30)[0] / 24
    left = amplitude_left(6, 24, dose.critical_e_per_A2(k, 300))
    assert float(left) == pytest.approx(mean, rel=1e-5)


def test_known_points_of_the_critical_exposure():
    critical = DoseConfig().critical_e_per_A2(torch.tensor([0.0, 1 / 3, 1 / 10]), 300)
    assert torch.isinf(critical[0])
    assert critical[1:].tolist() == pytest.approx([4.34, 14.14], abs=0.01)


def test_critical_exposure_falls_with_the_voltage():
    k = torch.tensor([0.1])
    at_300 = float(DoseConfig().critical_e_per_A2(k, 300))
    assert float(DoseConfig().critical_e_per_A2(k, 200)) == pytest.approx(0.8 * at_300)
    assert float(DoseConfig().critical_e_per_A2(k, 250)) == pytest.approx(0.9 * at_300)
    given = DoseConfig(critical_scale=0.5).critical_e_per_A2(k, 100)
    assert float(given) == pytest.approx(0.5 * at_300)
    with pytest.raises(CryoccdError, match=r"voltage_kV = 100.*critical_scale"):
        DoseConfig().critical_e_per_A2(k, 100)


def test_without_damage_in_the_limits():
    critical = torch.tensor([float("inf"), 3.0])
    assert float(amplitude_left(50, 50, critical)[0]) == 1
    assert float(amplitude_left(0, 1e-6, critical)[1]) == pytest.approx(1, abs=1e-6)
    assert float(amplitude_left(1e4, 50, critical)[1]) == 0


def test_weights_are_optimal_and_keep_the_noise():
    frames, critical = 8, torch.tensor([float("inf"), 20.0, 3.0])
    decay = torch.exp(-5 / (2 * critical))
    weights = torch.stack(list(frame_weights(decay, frames)))
    assert torch.allclose(weights.square().sum(0), torch.full((3,), 8.0))
    assert torch.allclose(weights[:, 0], torch.ones(8))  # DC: electrons are kept
    left = torch.stack([amplitude_left(5 * f, 5, critical) for f in range(frames)])
    best = (8 * left.square().sum(0)).sqrt()  # bound of Cauchy and Schwarz
    assert torch.allclose((weights * left).sum(0), best, rtol=1e-5)
    assert float(best[2] / left.sum(0)[2]) > 1.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dose_e_per_A2": 0}, r"dose_e_per_A2 = 0, .*e/A\^2"),
        ({"dose_e_per_A2": -40}, r"e/A\^2"),
        ({"dose_e_per_A2": 4000}, r"e/A\^2"),
        ({"dose_e_per_A2": float("nan")}, r"e/A\^2"),
        ({"frames": 0}, "frames = 0"),
        ({"pre_exposure_e_per_A2": -1}, r"pre_exposure_e_per_A2 = -1.*e/A\^2"),
        ({"critical_dose": (0.2, 1.6, 2.8)}, "b < 0"),
        ({"critical_scale": 0}, "critical_scale"),
        ({"dose_weighting": True}, "frames = 1, expected 2"),
        ({"dose_weighting": True, "frames": 5, "damage": False}, "damage = true"),
    ],
)
def test_impossible_exposures_are_refused(wrong, message):
    with pytest.raises(CryoccdError, match=message):
        DoseConfig(**wrong)
