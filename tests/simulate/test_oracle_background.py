"""The spectrum of the oracle's noise, found between its particles."""

import pytest
import torch

from cryoccd.fourier import radial_average
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.masked_psd import masked_autocorrelation, spectrum_of
from cryoccd.simulate.oracle import Oracle
from cryoccd.simulate.oracle_styles import STYLES

N = 12


@pytest.mark.parametrize("name", ["thin_ice", "thick_ice"])
def test_true_noise_spectrum_is_recovered_in_a_crowded_field(name):
    style = STYLES[name]
    oracle = Oracle(style, seed=11)
    diameter_px = style.diameter_A / style.pixel_size_A
    crowded, masks, empty = [], [], []
    for index in range(N):
        full = oracle.expose(index)
        crowded.append(full.image)
        masks.append(background_mask(full.image, full.centres_px, diameter_px))
        empty.append(oracle.expose(index, particles=False).image)
    everywhere = [torch.ones_like(mask) for mask in masks]
    shape = style.shape_px
    found = radial_average(spectrum_of(masked_autocorrelation(crowded, masks, 64), shape))
    true = radial_average(spectrum_of(masked_autocorrelation(empty, everywhere, 64), shape))
    error_db = (10 * (found / true).log10())[8:116]  # 4 cycles a 128-pixel tile to 0.9 Nyquist
    assert error_db.abs().mean() < 0.5
    assert error_db.abs().max() < 1.5
    whole = radial_average(spectrum_of(masked_autocorrelation(crowded, everywhere, 64), shape))
    assert (10 * (whole / true).log10())[8:116].abs().max() > 1.5  # the particles are there
