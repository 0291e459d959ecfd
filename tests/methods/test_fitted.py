import pytest
import torch
from toys import DIAMETER_PX, noise_power, write_real

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.imaging.masked_psd import spectrum_of
from cryoccd.methods.gaussian_fitted import GaussianFitted
from cryoccd.methods.real_ice import RealIce
from cryoccd.methods.spectrum import Spectrum
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.two_component import BlindFinder


def methods():
    return [GaussianFitted(), Spectrum(max_lag_px=24), RealIce(patch_px=[24, 16], min_patches=8)]


@pytest.fixture(scope="module")
def data(toy_folders):
    module = CryoDataModule(*toy_folders, crop_px=64, ice_source="model")
    module.setup()
    return module


@pytest.fixture(scope="module")
def fitted(data):
    models = methods()
    for model in models:
        model.calibrate(data)
        model.calibrated.fill_(True)
    return {type(model).__name__: model for model in models}


def translate(model, micrograph, seed):
    clean = micrograph.clean[None, None]
    style = torch.zeros(1, dtype=torch.long)
    generator = torch.Generator().manual_seed(seed)
    mask = micrograph.mask[None, None].float()
    return model.translate(clean, mask, torch.ones_like(clean), style, generator)[0, 0]


@pytest.mark.parametrize("name", ["GaussianFitted", "Spectrum", "RealIce"])
def test_particles_stand_out_as_the_real_ones_do(name, fitted, data):
    real = list(data.train_real())
    finder = Detectability.fit([r.image for r in real], [r.centres_px for r in real], DIAMETER_PX)
    target = finder.dprime([r.image for r in real], [r.centres_px for r in real])
    occupied = [m for m in data.train_simulated() if len(m.centres_px)]
    images = [translate(fitted[name], m, 50 + i) for i, m in enumerate(occupied)]
    reached = finder.dprime(images, [m.centres_px for m in occupied])
    assert 20 * torch.tensor(reached / target).log10().abs() < 1.5  # dB, with fresh noise
    assert fitted[name].choices()["separation_real_train"] == pytest.approx(target, rel=1e-6)


def test_gain_is_that_of_the_toy(fitted):
    # the toy's real side is 60 * blobs + noise, then scaled by its MAD
    scale = noise_power().mean().sqrt()
    assert float(fitted["Spectrum"].gain) == pytest.approx(60 / float(scale), rel=0.15)


def test_spectrum_is_the_true_one(fitted):
    found = radial_average(spectrum_of(fitted["Spectrum"].autocorrelation, (128, 128)))
    true = radial_average(noise_power()) / noise_power().mean()
    error_db = 10 * (found / true).log10()
    assert error_db[6:58].abs().mean() < 0.6
    assert fitted["Spectrum"].noise((200, 90), torch.Generator().manual_seed(0)).shape == (200, 90)


def test_real_ice_has_the_variance_and_colour_of_the_background(fitted):
    generator = torch.Generator().manual_seed(0)
    fields = torch.stack([fitted["RealIce"].noise((128, 128), generator) for _ in range(40)])
    assert fields.var() == pytest.approx(1, rel=0.25)
    power = radial_average((torch.fft.fft2(fields.double()).abs() ** 2).mean(0) / 128**2)
    assert power[8] / power[50] > 3
    choices = fitted["RealIce"].choices()
    assert choices["patches"] >= 8
    assert choices["reuse_per_micrograph"] > 0


def test_quilt_has_no_seam(fitted):
    generator = torch.Generator().manual_seed(0)
    fields = torch.stack([fitted["RealIce"].noise((128, 128), generator) for _ in range(300)])
    variance = fields.var(0)
    step = int(fitted["RealIce"].patches.shape[-1]) // 2
    on_seam = variance[:, ::step].mean()
    assert on_seam / variance.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", ["GaussianFitted", "Spectrum", "RealIce"])
def test_same_seed_same_noise_other_seed_other_noise(name, fitted, data):
    micrograph = data.train_simulated()[0]
    first, again, other = (translate(fitted[name], micrograph, seed) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert (first - other).std() > 0.5


def test_weights_survive_a_fresh_model(fitted, data):
    for fresh in methods():
        known = fitted[type(fresh).__name__]
        fresh.load_state_dict(known.state_dict())
        micrograph = data.train_simulated()[0]
        assert torch.equal(translate(fresh, micrograph, 3), translate(known, micrograph, 3))


def test_switches_of_the_spectrum(data):
    model = Spectrum(max_lag_px=24, low_frequency_field=True, quantile_match=True)
    model.calibrate(data)
    generator = torch.Generator().manual_seed(0)
    field = torch.stack([model.noise((128, 128), generator) for _ in range(20)])
    assert field.std() == pytest.approx(1, rel=0.25)
    assert model.slow_fields.shape[0] == 8


def test_without_picks_contrast_comes_from_two_components(toy_folders, tmp_path):
    blind = write_real(tmp_path / "blind", picks=False)
    module = CryoDataModule(toy_folders[0], blind, crop_px=64, ice_source="model")
    module.setup()
    model = Spectrum(max_lag_px=24)
    model.calibrate(module)
    scale = float(noise_power().mean().sqrt())
    assert 20 * abs(torch.tensor(float(model.gain) * scale / 60).log10()) < 3  # dB


def test_particles_are_found_without_picks(data):
    real, occupied = (
        list(data.train_real()),
        [m for m in data.train_simulated() if len(m.centres_px)],
    )
    finder = BlindFinder.fit(
        [r.image for r in real],
        [m.clean for m in occupied],
        [m.centres_px for m in occupied],
        DIAMETER_PX,
    )
    found = [finder.find(r.image) for r in real]
    distances = [
        torch.cdist(r.centres_px, f).min(1).values for r, f in zip(real, found, strict=True)
    ]
    recall = (torch.cat(distances) < DIAMETER_PX / 3).float().mean()
    assert recall > 0.8
    assert sum(map(len, found)) < 1.3 * sum(len(r.centres_px) for r in real)


def test_too_little_background_is_refused(data):
    model = RealIce(patch_px=[96], min_patches=64)
    with pytest.raises(CryoccdError, match="particle-free patches"):
        model.calibrate(data)
