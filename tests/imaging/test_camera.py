import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.imaging.camera import Camera, CameraConfig, resize_spectrum
from cryoccd.imaging.camera_presets import PRESETS, preset
from cryoccd.imaging.camera_response import join, tabulated
from cryoccd.io.curves import Curve

MTF = Curve((0.0, 0.5, 1.0), (1.0, 0.8, 0.5), "mtf.csv")
NNPS = Curve((0.0, 0.5, 1.0), (1.0, 0.9, 0.6), "nnps.csv")
DQE = Curve((0.0, 0.5, 1.0), (0.7, 0.49778, 0.29167), "dqe.csv")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def noise_rings(camera, side, dose, n):
    """Radial power a pixel of n flat fields."""
    flat = torch.full((side, side), dose)
    frames = torch.stack([camera.expose(flat, seeded(s)) for s in range(n)])
    return radial_average(torch.fft.fft2(frames - dose).abs() ** 2 / side**2).mean(0)


def transfer_at(camera, side, cycles, dose):
    """Measured amplitude of a sine over its true one."""
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side)
    total = sum(camera.expose(dose * (1 + 0.5 * wave), seeded(s)) for s in range(8)) / 8
    return 2 * float((total * wave).mean()) / (0.5 * dose)


@pytest.mark.parametrize("binning", [1, 2])
def test_variance_equals_mean_where_electrons_are_counted(binning):
    camera = Camera(preset("integrating"), binning)
    counts = camera.count(torch.full((300, 301), 40.0), seeded(0))
    assert counts.shape == (300 * binning, 301 * binning)
    assert torch.equal(counts, counts.round())
    assert float(counts.mean()) == pytest.approx(0.6 * 40 / binning**2, rel=0.01)
    assert float(counts.var() / counts.mean()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", ["counting", "integrating"])
@pytest.mark.parametrize("binning", [1, 2])
def test_noise_power_and_dqe_are_those_of_the_response(name, binning):
    camera, side, dose = Camera(preset(name), binning), 128, 30.0
    response = camera.response
    rings = noise_rings(camera, side, dose, 24)
    fraction = torch.arange(65) / 64 / binning
    expected = dose / response.dqe0 * response.nnps(fraction)
    bands = (rings / expected)[4:64].view(6, 10).mean(1)
    assert float((10 * torch.log10(bands)).abs().max()) < 0.2
    for cycles in (10, 40):
        mtf = transfer_at(camera, side, cycles, 200.0)
        assert mtf == pytest.approx(float(response.mtf(fraction[cycles])), abs=0.02)
        noise = float(rings[cycles - 3 : cycles + 4].mean())
        dqe = mtf**2 * dose / noise
        assert dqe == pytest.approx(float(response.dqe(fraction[cycles])), rel=0.1)


@pytest.mark.parametrize("shape", [(64, 64), (63, 65)])
@pytest.mark.parametrize("binning", [2, 3])
def test_binning_keeps_electrons_and_places(shape, binning):
    camera = Camera(preset("ideal"), binning)
    expected = 1e4 * torch.ones(shape)
    expected[20:28, 30:38] *= 2
    image = camera.expose(expected, seeded(1))
    assert image.shape == shape
    assert float(image.mean()) == pytest.approx(float(expected.mean()), rel=1e-3)
    excess = (image - 1e4).clamp_min(3000) - 3000  # the ringing of the edges and the noise cut off
    rows, columns = torch.arange(shape[0]), torch.arange(shape[1])
    assert float((excess.sum(1) * rows).sum() / excess.sum()) == pytest.approx(23.5, abs=0.1)
    assert float((excess.sum(0) * columns).sum() / excess.sum()) == pytest.approx(33.5, abs=0.1)


def test_resized_spectrum_interpolates_a_wave():
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(16) / 16).expand(8, 16)
    wide = torch.fft.irfft2(resize_spectrum(torch.fft.rfft2(wave), (8, 16), (24, 48)), s=(24, 48))
    expected = torch.cos(2 * torch.pi * 3 * torch.arange(48) / 48).expand(24, 48) / 9
    assert torch.allclose(wide, expected, atol=1e-6)
    back = resize_spectrum(torch.fft.rfft2(wide), (24, 48), (8, 16))
    assert torch.allclose(torch.fft.irfft2(back, s=(8, 16)), wave, atol=1e-5)


def test_expectation_is_the_mean_of_many_exposures():
    camera = Camera(preset("counting"))
    expected = 100 * (1 + 0.5 * torch.rand(32, 32, generator=seeded(5)))
    mean = torch.stack([camera.expose(expected, seeded(s)) for s in range(300)]).mean(0)
    rest = mean - camera.expectation(expected)
    assert float(rest.std()) < 1.2 * (125 / 0.8 / 300) ** 0.5


def test_ideal_camera_only_counts():
    expected = torch.full((64, 64), 9.0)
    image = Camera(preset("ideal")).expose(expected, seeded(2))
    assert torch.allclose(image, torch.poisson(expected, generator=seeded(2)), atol=1e-3)


def test_presets_are_distinct_and_ordered():
    assert len(PRESETS) == 5
    at = torch.tensor([0.0, 0.5, 1.0])
    dqe = torch.stack([preset(name).dqe(at) for name in PRESETS])
    assert (dqe[1:] < dqe[:-1] + 1e-6).all()  # listed from the best to the worst
    assert float(dqe[1, 2]) == pytest.approx((2 / torch.pi) ** 2, rel=1e-3)
    with pytest.raises(CryoccdError, match="preset = 'k4', expected one of ideal"):
        preset("k4")


def test_two_curves_give_the_third():
    at = torch.tensor([0.0, 0.5, 1.0])
    assert torch.allclose(join(MTF, None, NNPS, 0.7).dqe(at), DQE(at), atol=1e-4)
    assert torch.allclose(join(MTF, DQE).nnps(at), NNPS(at), atol=1e-3)
    assert torch.allclose(join(None, DQE, NNPS).mtf(at), MTF(at), atol=1e-3)
    # linear between few points, the three differ by little
    assert join(MTF, DQE, NNPS).dqe0 == pytest.approx(0.7)


def test_three_curves_that_contradict_are_refused_with_numbers():
    low = Curve((0.0, 0.5, 1.0), (0.7, 0.3, 0.29167), "dqe.csv")
    with pytest.raises(CryoccdError, match=r"dqe.csv: DQE = 0\.3 at 0\.5 .*expected 0\.498"):
        join(MTF, low, NNPS)
    with pytest.raises(CryoccdError, match=r"DQE = 0\.7 at 0 of Nyquist, expected 0\.9"):
        join(MTF, DQE, NNPS, dqe0=0.9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mtf": MTF}, "mtf given, expected two"),
        ({}, "no curve given"),
        ({"mtf": MTF, "nnps": NNPS}, "dqe0 is not given"),
        ({"mtf": MTF, "nnps": NNPS, "dqe0": 1.2}, "dqe0 = 1.2"),
        ({"mtf": MTF, "dqe": Curve((0, 1), (1.1, 0.2), "d.csv")}, "d.csv: DQE = 1.1"),
        ({"mtf": MTF, "dqe": Curve((0, 1), (0.9, 0.0), "d.csv")}, "value 0, expected above 0"),
        ({"mtf": Curve((0, 1), (0.9, 0.5), "m.csv"), "dqe": DQE}, "m.csv: 0.9 at frequency 0"),
        (
            {"mtf": MTF, "nnps": Curve((0, 1), (1, 0.1), "n.csv"), "dqe0": 0.9},
            r"DQE = 2\.\d+ at 1 of Nyquist from dqe0 = 0.9, mtf.csv and n.csv",
        ),
    ],
)
def test_incomplete_or_impossible_curves_are_refused(given, message):
    with pytest.raises(CryoccdError, match=message):
        join(**given)


def test_config_reads_files_and_refuses_mixtures(tmp_path):
    for curve in (MTF, DQE):
        lines = [f"{s},{v}" for s, v in zip(curve.fractions, curve.values, strict=True)]
        (tmp_path / curve.name).write_text("\n".join(lines))
    config = CameraConfig(mtf=tmp_path / "mtf.csv", dqe=tmp_path / "dqe.csv", binning=2)
    assert config.build().response.dqe0 == 0.7
    assert config.build().binning == 2
    assert CameraConfig().build().response == preset("counting")
    with pytest.raises(CryoccdError, match="preset = ideal beside mtf"):
        CameraConfig(preset="ideal", mtf=tmp_path / "mtf.csv")
    with pytest.raises(CryoccdError, match="mtf given, expected two"):
        CameraConfig(mtf=tmp_path / "mtf.csv")
    with pytest.raises(CryoccdError, match=r"absent.csv: cannot be read"):
        CameraConfig(mtf=tmp_path / "absent.csv", dqe=tmp_path / "dqe.csv")
    with pytest.raises(CryoccdError, match="binning = 0"):
        CameraConfig(binning=0)


def test_measured_curves_of_a_counting_camera(real_data):
    folder = real_data / "detector"
    config = CameraConfig(
        mtf=folder / "K2SUMMIT_MTF_300kV.csv", dqe=folder / "K2SUMMIT_DQE_300kV.csv"
    )
    response = config.build().response
    at = torch.linspace(0.1, 0.95, 18)
    assert response.dqe0 == pytest.approx(0.7526, abs=1e-3)
    assert 0.8 < float(response.nnps(at).min()) < float(response.nnps(at).max()) < 1
    assert torch.allclose(response.dqe(at[4:5]), torch.tensor([0.674]), atol=0.01)


def test_negative_electrons_are_refused():
    camera = Camera(preset("ideal"))
    with pytest.raises(CryoccdError, match="camera: expected electrons"):
        camera.expose(torch.full((8, 8), -1.0), seeded(0))
    with pytest.raises(CryoccdError, match="two or more"):
        tabulated(torch.ones(0), "empty")
