import pytest
import torch
from toys import write_simulated

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.errors import CryoccdError
from cryoccd.methods.gaussian import Gaussian
from cryoccd.methods.poisson import Poisson
from cryoccd.methods.poisson_gaussian import PoissonGaussian

METHODS = [Gaussian, Poisson, PoissonGaussian]


def calibrated(method, folders):
    data = CryoDataModule(*folders, crop_px=64, ice_source="model")
    data.setup()
    model = method()
    model.calibrate(data)
    model.calibrated.fill_(True)
    return model, data


def inputs(clean):
    batch = clean[None, None]
    return batch, torch.zeros_like(batch), torch.ones_like(batch), torch.zeros(1, dtype=torch.long)


@pytest.mark.parametrize("method", METHODS)
def test_noise_has_the_asked_ratio(method, toy_folders):
    model, data = calibrated(method, toy_folders)
    clean = data.train_simulated()[0].clean
    draws = [
        model.translate(*inputs(clean), torch.Generator().manual_seed(seed))[0, 0]
        for seed in range(60)
    ]
    stack = torch.stack(draws).double()
    noise_variance = stack.var(0).mean()
    signal = stack.mean(0)
    slope = (signal * clean).sum() / clean.square().sum()
    assert noise_variance == pytest.approx(1 / 1.1, rel=0.03)  # SNR 0.1 at total variance 1
    expected = (1 / 11 / float(model.signal_variance)) ** 0.5
    assert slope == pytest.approx(expected, rel=0.05)  # the signal is there, dark particles dark


def test_poisson_noise_follows_the_intensity(toy_folders):
    model, _ = calibrated(Poisson, toy_folders)
    intensity = torch.cat([torch.full((64, 64), 0.5), torch.full((64, 64), 1.5)])
    field = model.translate(*inputs(intensity - 1), torch.Generator().manual_seed(0))[0, 0]
    assert field[64:].var() / field[:64].var() == pytest.approx(3, rel=0.1)
    flat, _ = calibrated(Gaussian, toy_folders)
    field = flat.translate(*inputs(intensity - 1), torch.Generator().manual_seed(0))[0, 0]
    assert field[64:].var() / field[:64].var() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_micrograph_without_particles_gets_the_noise_of_the_set(method, toy_folders):
    model, _ = calibrated(method, toy_folders)
    field = model.translate(*inputs(torch.zeros(128, 128)), torch.Generator().manual_seed(1))
    assert field.std() == pytest.approx((1 / 1.1) ** 0.5, rel=0.03)


def test_set_without_any_particle_is_refused(toy_folders, tmp_path):
    empty = write_simulated(tmp_path / "empty", count=2, empty=(0, 1))
    with pytest.raises(CryoccdError, match="no micrograph has a particle"):
        calibrated(Gaussian, (empty, toy_folders[1]))


@pytest.mark.parametrize(
    ("method", "arguments"), [(Gaussian, {"snr": 0}), (PoissonGaussian, {"poisson_share": 1})]
)
def test_bad_settings_are_refused(method, arguments):
    with pytest.raises(CryoccdError, match="expected"):
        method(**arguments)
