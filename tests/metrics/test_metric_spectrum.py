import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.spectral.spectrum import (
    particle_mask,
    ring_power,
    spectrum_error_db,
)

SIDE, TILE = 256, 64


def white(seed):
    return torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def crowded(seed):
    centres = SIDE * torch.rand(40, 2, generator=torch.Generator().manual_seed(seed))
    return ~disc_mask((SIDE, SIDE), centres, 12)


def test_white_noise_has_its_variance_at_every_ring_whatever_the_mask():
    parts = [ring_power(2 * white(i), crowded(i), TILE) for i in range(8)]
    power = torch.stack([p.power for p in parts]).sum(0) / sum(p.weight for p in parts)
    assert len(power) == int(0.9 * TILE / 2) + 1 - 4
    torch.testing.assert_close(power, torch.full_like(power, 4.0), rtol=0.08, atol=0)


def test_coloured_against_white_noise_gives_the_known_decibels():
    # +-3 dB that change slowly over the band: |dB| has a known mean
    k = radial_frequency((SIDE, SIDE)).double()
    decibels = 3 * torch.cos(2 * torch.pi * k / 0.5)
    generator = torch.Generator().manual_seed(0)
    everywhere = torch.ones(SIDE, SIDE, dtype=torch.bool)
    made = [
        ring_power(random_field(10 ** (decibels / 10), generator), everywhere, TILE)
        for _ in range(8)
    ]
    real = [ring_power(white(i), everywhere, TILE) for i in range(8)]
    ring = torch.arange(4, int(0.9 * TILE / 2) + 1).double() / TILE
    expected = float((3 * torch.cos(2 * torch.pi * ring / 0.5)).abs().mean())
    assert spectrum_error_db(real, made) == pytest.approx(expected, abs=0.12)
    assert spectrum_error_db(real, real) == 0
    assert spectrum_error_db(real, made) == pytest.approx(spectrum_error_db(made, real), abs=1e-9)


def test_each_mask_sees_its_own_area():
    centres = torch.tensor([[x, y] for x in (40.0, 128.0, 216.0) for y in (40.0, 128.0, 216.0)])
    diameter = 40.0
    real, made = [white(i) for i in range(6)], [white(i) for i in range(6, 12)]
    louder = [x * (1 + (2**0.5 - 1) * particle_mask(x, centres, diameter)) for x in made]

    def error(mask_of, generated):
        sides = (
            [ring_power(x, mask_of(x, centres, diameter), TILE) for x in s]
            for s in (real, generated)
        )
        return spectrum_error_db(*sides)

    assert error(particle_mask, louder) == pytest.approx(3.01, abs=0.35)
    assert error(background_mask, louder) == error(background_mask, made) < 0.35


def test_tiles_without_enough_area_are_left_out():
    nothing = ring_power(white(0), torch.zeros(SIDE, SIDE, dtype=torch.bool), TILE)
    corner = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    corner[:64, :64] = True
    one = ring_power(white(0), corner, TILE)
    alone = ring_power(white(0)[:64, :64], corner[:64, :64], TILE)
    assert nothing.weight == 0
    assert torch.isnan(torch.tensor(spectrum_error_db([nothing], [one])))
    assert one.weight < 2.5 * alone.weight  # the tile itself and its halves, not all 49
    assert spectrum_error_db([one, nothing], [one]) == 0


def test_a_tile_that_does_not_fit_is_refused():
    with pytest.raises(CryoccdError, match="300 px, expected 16 to"):
        ring_power(white(0), crowded(0), 300)
