from math import isnan, log10, pi, sqrt

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import frequency_grid, radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.measure import Field
from cryoccd.metrics.spectral.lattice import LatticePeaks

SIDE, N = 256, 6
MEASURE = LatticePeaks()
Y, X = torch.meshgrid(*[torch.arange(SIDE).float()] * 2, indexing="ij")
K = radial_frequency((SIDE, SIDE)).double()
K_Y, K_X = (k.double() for k in frequency_grid((SIDE, SIDE)))
WHITE = 0 * K


def fields(decibels, first_seed, n=N):
    power = 10 ** (decibels / 10)
    seeds = range(first_seed, first_seed + n)
    return [random_field(power, torch.Generator().manual_seed(s)) for s in seeds]


def described(images):
    return [MEASURE.describe(Field(image, 4.0)) for image in images]


def lattice(real, made):
    got = MEASURE.compare(real, made)
    return got["lattice_peak_db"], got["lattice_dip_db"]


@pytest.fixture(scope="module")
def real():
    return described(fields(WHITE, 0))


def expected_db(amplitude, frequencies):
    """Peak of a pattern whose amplitude is shared by so many frequencies, in white noise."""
    return 10 * log10(1 + 4 * (amplitude / frequencies) ** 2 * 64**2 / 9)


def test_a_checkerboard_is_seen_with_its_size(real):
    made = fields(WHITE, 50)
    seen = []
    for amplitude in (0.04, 0.08, 0.16):
        board = amplitude * (-1) ** (X + Y)
        peak, dip = lattice(real, described([x + board for x in made]))
        assert peak == pytest.approx(expected_db(amplitude, 1), abs=1.0)
        assert dip < 1.5
        seen.append(peak)
    assert seen == sorted(seen)


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_each_stride_is_seen_at_any_phase(real, stride):
    made = fields(WHITE, 50)
    waves = [0.1 * torch.cos(2 * pi * X / stride + i) for i in range(N)]
    peak, _ = lattice(real, described([x + w for x, w in zip(made, waves, strict=True)]))
    assert peak == pytest.approx(expected_db(0.1, 2), abs=1.0)


def test_a_pattern_off_the_lattice_is_not_seen(real):
    made = [x + 0.1 * torch.cos(2 * pi * X * 10 / 64) for x in fields(WHITE, 50)]
    assert lattice(real, described(made))[0] < 1.0


def test_a_pattern_that_the_real_side_has_too_is_no_fault():
    board = 0.2 * (-1) ** (X + Y)
    sides = (described([x + board for x in fields(WHITE, k)]) for k in (0, 50))
    assert max(abs(v) for v in lattice(*sides)) < 1.5


def test_noise_enlarged_by_repeating_pixels_has_dips(real):
    # power cos^2(pi kx) cos^2(pi ky): 0 at Nyquist
    small = [x[: SIDE // 2, : SIDE // 2] for x in fields(WHITE, 50)]
    large = [x.repeat_interleave(2, 0).repeat_interleave(2, 1) for x in small]
    assert lattice(real, described(large))[1] > 5


SMOOTH = {
    "fall": -60 * K.square(),
    "rise": 30 * K,
    "power law": -20 * (K + 0.004).log10(),
    "rings": 10 * (0.3 + torch.sin(pi * 30 * K**2).square()).log10(),
    "direction": 2 * (K_X**2 - K_Y**2) / K.square().clamp_min(1e-9),
}


@pytest.mark.parametrize("fault", SMOOTH)
def test_a_smooth_fault_of_the_spectrum_is_not_seen(real, fault):
    made = described(fields(SMOOTH[fault], 50))
    assert max(lattice(real, made)) < 2.0
    assert max(lattice(made, real)) < 2.0


def test_draws_of_one_process_are_zero_on_average():
    # the greatest difference itself is about 1 dB each time
    got = [lattice(*(described(fields(WHITE, 100 * t + k, 3)) for k in (0, 50))) for t in range(10)]
    values = torch.tensor(got).flatten()
    error = float(values.std()) / sqrt(len(values))
    assert abs(float(values.mean())) < 3 * error
    assert values.min() < 0 < values.max()


def test_order_and_gain_do_not_matter(real):
    images = fields(WHITE, 50)
    made = described(images)
    assert lattice(real[::-1], made[::-1]) == pytest.approx(lattice(real, made))
    torch.testing.assert_close(
        MEASURE.describe(Field(3 * images[0] + 5, 4.0)), made[0], atol=1e-4, rtol=0
    )


def test_fewer_than_two_micrographs_are_undefined(real):
    blank = MEASURE.describe(Field(torch.zeros(SIDE, SIDE), 4.0))
    assert all(isnan(v) for v in lattice(real, real[:1]))
    assert all(isnan(v) for v in lattice([real[0], blank], real))


@pytest.mark.parametrize("tile_px", [48, 72])
def test_tiles_off_the_lattice_are_refused(tile_px):
    with pytest.raises(CryoccdError, match=f"tile_px = {tile_px}, expected a multiple of 16"):
        LatticePeaks(tile_px)
