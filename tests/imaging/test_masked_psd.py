import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.masked_psd import masked_autocorrelation, random_field, spectrum_of


def coloured(shape):
    return 0.3 + 4 * torch.exp(-((radial_frequency(shape).double() / 0.08) ** 2) / 2)


def crowded_mask(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(14, 2, generator=generator) * 256
    return ~disc_mask(shape, centres, 24)


def test_recovers_the_spectrum_between_particles():
    shape = (256, 256)
    power = coloured(shape)
    images, masks = [], []
    for seed in range(24):
        noise = random_field(power, torch.Generator().manual_seed(seed))
        mask = crowded_mask(shape, 100 + seed)
        assert 0.3 < mask.float().mean() < 0.9
        images.append(torch.where(mask, noise, noise - 7))  # particles must not leak in
        masks.append(mask)
    found = spectrum_of(masked_autocorrelation(images, masks, 64), shape)
    error_db = 10 * (radial_average(found) / radial_average(power)).log10()
    assert error_db[8:115].abs().max() < 0.5
    naive = sum(torch.fft.fft2(i - i.mean()).abs() ** 2 for i in images) / len(images) / 256**2
    naive_db = 10 * (radial_average(naive.double()) / radial_average(power)).log10()
    assert naive_db[8:40].abs().max() > 2  # the plain periodogram carries the particles


def test_random_field_has_the_asked_variance_and_spectrum():
    power = coloured((96, 128))
    generator = torch.Generator().manual_seed(0)
    fields = torch.stack([random_field(power, generator) for _ in range(200)]).double()
    assert fields.var() == pytest.approx(float(power.mean()), rel=0.03)
    measured = (torch.fft.fft2(fields).abs() ** 2).mean(0) / (96 * 128)
    assert (measured / power).log().abs().mean() < 0.08


def test_spectrum_fits_fields_of_any_shape():
    white = torch.randn(256, 256, generator=torch.Generator().manual_seed(3))
    mask = torch.ones(256, 256, dtype=torch.bool)
    autocorrelation = masked_autocorrelation([white], [mask], 16)
    for shape in [(300, 130), (64, 64), (20, 20)]:
        power = spectrum_of(autocorrelation, shape)
        assert power.shape == shape
        assert power.mean() == pytest.approx(1, abs=0.05)


def test_no_background_is_refused():
    mask = torch.zeros(64, 64, dtype=torch.bool)
    with pytest.raises(CryoccdError, match="too few pixel pairs"):
        masked_autocorrelation([torch.randn(64, 64)], [mask], 8)
