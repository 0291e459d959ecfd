"""Noise of the ice in absolute units, and what the ice takes from the beam."""

import numpy as np
import pytest
import torch

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.ice_noise import WATER_PER_A3, ice_contrast, structure_factor, water_power
from cryoccd.imaging.inelastic import transmission
from cryoccd.records import Optics
from cryoccd.specimen.scattering import VITREOUS_ICE_V

OPTICS = Optics(300, 2.7, 0.1, 1.2, 12000, 12000)
SHAPE = (256, 256)


def flat(thickness_A):
    return np.full((32, 32), thickness_A, dtype=np.float32)


def contrast(thickness_A, seed=0, optics=OPTICS, **settings):
    generator = torch.Generator().manual_seed(seed)
    return ice_contrast(thickness_A, SHAPE, optics, generator, **settings)


def power(images):
    spectra = [torch.fft.rfft2(image.double()).abs() ** 2 for image in images]
    return torch.stack(spectra).mean(0) / (SHAPE[0] * SHAPE[1])


def test_structure_factor_of_amorphous_ice():
    k = torch.linspace(0, 1, 2001, dtype=torch.float64)
    values = structure_factor(k)
    assert float(k[values.argmax()]) == pytest.approx(1 / 3.7, rel=0.02)
    assert float(values[0]) < 0.1
    assert float(values[-1]) == pytest.approx(1, abs=0.02)


def test_form_factor_gives_the_mean_inner_potential():
    """Potential of one molecule at k = 0 times their density is that of the ice."""
    at_zero = torch.zeros(1, dtype=torch.float64)
    volts = WATER_PER_A3 * (water_power(at_zero) / structure_factor(at_zero)).sqrt()
    assert float(volts) == pytest.approx(VITREOUS_ICE_V, rel=0.01)


def test_power_in_bands_is_the_closed_form():
    """4 sigma^2 N t |F|^2 S / pixel area times the mean of CTF^2 over the depth of the ice."""
    thickness_A = 300.0
    found = power([contrast(flat(thickness_A), seed) for seed in range(12)])
    k = radial_frequency(SHAPE, rfft=True).double() / OPTICS.pixel_size_A
    heights_A = (np.arange(60) + 0.5) / 60 * thickness_A - thickness_A / 2
    squared = torch.zeros_like(k)
    for height_A in heights_A:
        shifted = torch.tensor(12000.0 - height_A)
        squared += ctf(OPTICS, SHAPE, shifted, shifted).double() ** 2 / 60
    weak_phase = 4 * OPTICS.interaction_rad_per_V_A**2
    molecules = WATER_PER_A3 * thickness_A / OPTICS.pixel_size_A**2
    expected = weak_phase * molecules * water_power(k) * squared
    for low, high in ((0.05, 0.1), (0.1, 0.2), (0.2, 0.25), (0.25, 0.3), (0.3, 0.4)):
        band = (k >= low) & (k < high)
        at_zeros = band & (ctf(OPTICS, SHAPE) ** 2 < 0.1)  # the depth fills them at high k
        for where in (band, at_zeros):
            ratio = float(found[where].sum() / expected[where].sum())
            assert ratio == pytest.approx(1, abs=6 / np.sqrt(12 * int(where.sum())))


def test_the_ice_shows_thon_rings():
    """At low frequency, where the depth does not matter, the zeros of the CTF are dark."""
    found = power([contrast(flat(300.0), seed) for seed in range(8)])
    transfer = ctf(OPTICS, SHAPE) ** 2
    k = radial_frequency(SHAPE, rfft=True) / OPTICS.pixel_size_A
    band = (k > 0.08) & (k < 0.2)
    dark, bright = band & (transfer < 0.02), band & (transfer > 0.9)
    assert float(found[dark].mean()) < 0.1 * float(found[bright].mean())


def test_variance_is_linear_in_thickness_and_local():
    thin, thick = (float(contrast(flat(t)).var()) for t in (100.0, 300.0))
    assert thick / thin == pytest.approx(3, rel=0.1)
    step = flat(100.0)
    step[:, 16:] = 400.0
    image = contrast(step)
    assert float(image[:, 160:].var() / image[:, :96].var()) == pytest.approx(4, rel=0.1)
    assert float(contrast(flat(300.0), strength=2.0).var()) == pytest.approx(4 * thick)


def test_ice_noise_repeats_and_differs_by_seed():
    assert torch.equal(contrast(flat(300.0)), contrast(flat(300.0)))
    assert not torch.equal(contrast(flat(300.0)), contrast(flat(300.0), seed=1))


def test_transmission_is_exponential_and_smooth():
    passed = transmission(flat(395.0), SHAPE, 3950.0)
    assert passed.shape == SHAPE
    assert passed.numpy() == pytest.approx(np.exp(-0.1), rel=1e-6)
    ramp = np.tile(np.linspace(100, 900, 32, dtype=np.float32), (32, 1))
    slope = transmission(ramp, SHAPE, 3000.0)
    exact = np.exp(-np.interp(np.arange(256), 8 * np.arange(32) + 3.5, ramp[0]) / 3000.0)
    assert slope[100].numpy() == pytest.approx(exact, rel=1e-4)
