from math import isnan, pi, sin, sqrt

import pytest
import torch

from cryoccd.fourier import frequency_grid, radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.measure import Field
from cryoccd.metrics.spectral.anisotropy import Anisotropy

SIDE, TILE = 256, 64
CENTRES = torch.tensor([[x, y] for x in (50.0, 190.0) for y in (60.0, 200.0)])
K = radial_frequency((SIDE, SIDE)).double()
K_Y, K_X = (k.double() for k in frequency_grid((SIDE, SIDE)))
ALONG_X = (K_X**2 - K_Y**2) / K.square().clamp_min(1e-9)  # cos 2 theta
WHOLE = Anisotropy("whole", TILE)


def described(seeds, decibels, measure=WHOLE):
    power = 10 ** (decibels / 10)
    images = [random_field(power, torch.Generator().manual_seed(s)) for s in seeds]
    return [measure.describe(Field(x, 4.0, CENTRES, 160.0)) for x in images]


def anisotropy(real, made, measure=WHOLE):
    return measure.compare(real, made)["psd_anisotropy_db"]


@pytest.mark.parametrize("slope", [0.0, -20.0])
def test_direction_is_seen_with_its_size_on_any_radial_spectrum(slope):
    real = described(range(6), slope * K)
    seen = [
        anisotropy(real, described(range(10, 16), slope * K + c * ALONG_X)) for c in (1.0, 2.0, 4.0)
    ]
    expected = sin(pi / 8) / (pi / 8) / sqrt(2)
    assert seen == pytest.approx([expected, 2 * expected, 4 * expected], rel=0.06)


def test_a_stretched_power_law_has_its_closed_form():
    # k^-2 with x drawn out and y drawn in by 1 + s: 20 log10 of the radius, 2 theta to first order
    stretch = 0.1
    radius = torch.hypot(K_X / (1 + stretch), K_Y * (1 + stretch))
    law = [-20 * k.clamp_min(1e-3).log10() for k in (K, radius)]
    seen = anisotropy(described(range(6), law[0]), described(range(10, 16), law[1]))
    amplitude = 20 * torch.log10(torch.tensor(1 + stretch)).item()
    assert seen == pytest.approx(amplitude * sin(pi / 8) / (pi / 8) / sqrt(2), rel=0.1)


@pytest.mark.parametrize("direction", [0.0, 4.0])
def test_draws_of_one_process_have_square_zero_on_average(direction):
    squares = []
    for trial in range(12):
        real, made = (
            described(range(100 * trial + k, 100 * trial + k + 3), direction * ALONG_X)
            for k in (0, 50)
        )
        value = anisotropy(real, made)
        squares.append(value * abs(value))
    squares = torch.tensor(squares)
    error = float(squares.std()) / sqrt(len(squares))
    assert abs(float(squares.mean())) < 3 * error
    assert float(squares.abs().max()) < 0.25  # 0.5 dB; the plain distance would be 1 dB and more
    assert squares.min() < 0 < squares.max()


def test_a_radial_fault_is_not_seen():
    real = described(range(6), 0 * K)
    assert abs(anisotropy(real, described(range(10, 16), -30 * K))) < 0.3
    loud = described(range(6), 10 + 0 * K)
    torch.testing.assert_close(torch.stack(loud), torch.stack(real), atol=1e-5, rtol=0)


def test_background_leaves_out_the_particles():
    measure = Anisotropy(tile_px=TILE)
    assert measure.lacks(Field(torch.zeros(SIDE, SIDE), 4.0)) == "picks"
    assert WHOLE.lacks(Field(torch.zeros(SIDE, SIDE), 4.0)) == ""
    white = random_field(torch.ones(SIDE, SIDE), torch.Generator().manual_seed(0))
    y, x = torch.meshgrid(*[torch.arange(SIDE).float()] * 2, indexing="ij")
    inside = (torch.stack([(x - a).hypot(y - b) for a, b in CENTRES.tolist()]) <= 20).any(0)
    striped = white + 3 * inside * torch.cos(x)
    plain, faulty = (measure.describe(Field(i, 4.0, CENTRES, 160.0)) for i in (white, striped))
    torch.testing.assert_close(plain, faulty, atol=0, rtol=0)
    assert not torch.allclose(*(WHOLE.describe(Field(i, 4.0)) for i in (white, striped)), atol=1.0)


def test_fewer_than_two_micrographs_with_the_area_are_undefined():
    real = described(range(3), 0 * K)
    all_particle = Field(torch.randn(SIDE, SIDE), 4.0, torch.tensor([[128.0, 128.0]]), 4000.0)
    empty = Anisotropy(tile_px=TILE).describe(all_particle)
    assert bool(empty.isnan().all())
    assert isnan(anisotropy(real, real[:1]))
    assert isnan(anisotropy(real, [real[0], empty]))
    assert anisotropy(real, [*real[:2], empty]) == anisotropy(real, real[:2])
    assert anisotropy(real[::-1], real[1::-1]) == pytest.approx(anisotropy(real, real[:2]))
