import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.imaging.detector import Detector, expected_electrons

CAMERA = Detector(dqe0=0.8, mtf_half=0.25, nnps_half=0.25, nnps_floor=0.3)
PERFECT = Detector(dqe0=1, mtf_half=1e6, nnps_half=1, nnps_floor=1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_expected_electrons_are_dose_times_pixel_area():
    image = expected_electrons(torch.full((4, 4), 0.5), dose_e_per_A2=40, pixel_size_A=1.5)
    assert torch.allclose(image, torch.full((4, 4), 40 * 2.25 * 0.5))


def test_counts_have_equal_mean_and_variance_in_absolute_units():
    counts = CAMERA.count(torch.full((512, 512), 20.0), seeded(0))
    assert torch.equal(counts, counts.round())
    assert float(counts.mean()) == pytest.approx(0.8 * 20, rel=0.01)
    assert float(counts.var() / counts.mean()) == pytest.approx(1, abs=0.02)


def test_mean_of_the_image_is_the_incident_dose():
    image = CAMERA.expose(torch.full((256, 256), 50.0), seeded(1))
    assert float(image.mean()) == pytest.approx(50, rel=0.005)


def test_noise_spectrum_follows_nnps():
    side, dose = 256, 30.0
    frames = torch.stack(
        [CAMERA.expose(torch.full((side, side), dose), seeded(s)) for s in range(8)]
    )
    power = torch.fft.fft2(frames - frames.mean()).abs() ** 2 / side**2
    rings = radial_average(power).mean(0)[8:128]
    expected = dose / CAMERA.dqe0 * CAMERA.nnps(torch.arange(8, 128) / side)
    bands = (rings / expected).view(15, 8).mean(1)  # 8 rings each: a standard error of 3 % or less
    assert float((10 * torch.log10(bands)).abs().max()) < 0.4
    assert float(expected[0] / expected[-1]) > 2  # the camera under test is not white


def test_signal_arrives_with_the_mtf():
    side, cycles = 128, 40
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side)
    total = sum(CAMERA.expose(100 * (1 + 0.5 * wave), seeded(s)) for s in range(20)) / 20
    amplitude = 2 * float((total * wave).mean()) / 50
    assert amplitude == pytest.approx(float(CAMERA.mtf(torch.tensor(cycles / side))), rel=0.05)
    assert amplitude < 0.6


def test_expectation_is_the_mean_of_many_exposures():
    expected = 100 * (1 + 0.5 * torch.rand(32, 32, generator=seeded(5)))
    mean = torch.stack([CAMERA.expose(expected, seeded(s)) for s in range(400)]).mean(0)
    rest = mean - CAMERA.expectation(expected)
    assert float(rest.std()) < 1.3 * (125 / 0.8 / 400) ** 0.5


def test_perfect_camera_only_counts():
    expected = torch.full((64, 64), 9.0)
    image = PERFECT.expose(expected, seeded(2))
    assert torch.allclose(image, torch.poisson(expected, generator=seeded(2)), atol=1e-3)


def test_dqe_joins_mtf_and_nnps():
    frequency = radial_frequency((16, 16))
    dqe = CAMERA.dqe0 * CAMERA.mtf(frequency) ** 2 / CAMERA.nnps(frequency)
    assert torch.allclose(CAMERA.dqe(frequency), dqe)
    assert float(CAMERA.dqe(torch.zeros(1))) == pytest.approx(0.8)


def test_gain_residue_multiplies_and_repeats():
    camera = Detector(gain_residue_rms=0.02)
    gain = camera.gain_residue((128, 128), seeded(3))
    assert float(gain.std()) == pytest.approx(0.02, rel=0.05)
    assert torch.equal(gain, camera.gain_residue((128, 128), seeded(3)))
    flat = torch.full((128, 128), 40.0)
    assert torch.allclose(
        camera.expose(flat, seeded(4), gain), camera.expose(flat, seeded(4)) * gain
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"dqe0": 0},
        {"dqe0": 1.2},
        {"mtf_half": -1},
        {"nnps_floor": 0},
        {"gain_residue_rms": -0.1},
        {"mtf_half": 1e3, "nnps_floor": 0.1},  # DQE above 1
    ],
)
def test_impossible_cameras_are_refused(wrong):
    with pytest.raises(CryoccdError, match="detector"):
        Detector(**wrong)


def test_negative_electrons_are_refused():
    with pytest.raises(CryoccdError, match="expected electrons"):
        CAMERA.expose(torch.full((8, 8), -1.0), seeded(0))
    with pytest.raises(CryoccdError, match="dose_e_per_A2"):
        expected_electrons(torch.ones(2, 2), 0, 1)
