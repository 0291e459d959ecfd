from dataclasses import replace
from math import isnan, log10, sqrt

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.signal.detectability import Detectability

SIDE, DIAMETER = 256, 24.0


def lattice(seed):
    """Sixteen centres on whole pixels, 64 px apart, moved by up to 5 px."""
    grid = torch.tensor([[x, y] for x in range(32, SIDE, 64) for y in range(32, SIDE, 64)])
    move = torch.randint(-5, 6, grid.shape, generator=torch.Generator().manual_seed(seed))
    return (grid + move).double()


def blobs(centres, amplitude=1.0, sigma=5.0):
    axis = torch.arange(SIDE, dtype=torch.float64)
    field = torch.zeros(SIDE, SIDE, dtype=torch.float64)
    for x, y in centres.tolist():
        rows, columns = (axis - y)[:, None] ** 2, (axis - x)[None, :] ** 2
        field -= amplitude * torch.exp(-(rows + columns) / (2 * sigma**2))
    return field.float()


def coloured(seed):
    k = radial_frequency((SIDE, SIDE)).double()
    generator = torch.Generator().manual_seed(seed)
    return random_field(0.3 + 4 / (1 + (k * 24) ** 2), generator)


def micrographs(count, amplitude, noise, first_seed=0):
    centres = [lattice(first_seed + i) for i in range(count)]
    images = [blobs(c, amplitude) + noise(first_seed + i) for i, c in enumerate(centres)]
    return images, centres


def white(seed):
    return torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(1000 + seed))


def exact_filter():
    """The filter that knows particle and noise, without recentring."""
    axis = torch.arange(-18, 19, dtype=torch.float64)
    template = -torch.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2 * 5.0**2))
    return Detectability(template, torch.ones(19, dtype=torch.float64), DIAMETER, 0)


def test_d_prime_of_a_known_particle_in_white_noise():
    # theory: |amplitude T| / sigma; the particles are few enough to leave the MAD alone
    amplitude = 0.4
    images, centres = micrographs(12, amplitude, white)
    known = exact_filter()
    expected = amplitude * sqrt(float(known.template.square().sum()))
    found = known.dprime(images, centres)
    error = 1 / sqrt(12 * 16)  # of the mean over 192 particles
    assert found == pytest.approx(expected, abs=4 * error)


def test_score_is_a_z_score_in_coloured_background_and_finds_the_particles():
    images, centres = micrographs(6, 2.0, coloured)
    fitted = Detectability.fit(images, centres, DIAMETER)
    scores = fitted.score(coloured(77))[20:-20, 20:-20]
    assert float(scores.std()) == pytest.approx(1, abs=0.12)
    assert abs(float(scores.mean())) < 0.3  # some eighty independent scores
    only = torch.tensor([[100.0, 140.0]])
    row, column = divmod(int(fitted.score(blobs(only, 6.0) + coloured(5)).argmax()), SIDE)
    assert (row, column) == (pytest.approx(140, abs=1), pytest.approx(100, abs=1))
    assert float(fitted.score(coloured(5) - blobs(only, 8.0))[140, 100]) < -5  # light on dark


def test_template_is_the_round_mean_particle_with_a_level_of_zero():
    images, centres = micrographs(8, 2.0, white)
    template = Detectability.fit(images, centres, DIAMETER).template
    middle = template.shape[0] // 2
    torch.testing.assert_close(template, template.T)
    torch.testing.assert_close(template, template.flip(0))
    assert float(template[middle, middle]) == pytest.approx(-2.0, abs=0.25)
    assert float(template[0].abs().max()) < 0.02


def test_d_prime_follows_the_contrast_and_ignores_crystals_in_the_background():
    images, centres = micrographs(8, 1.5, coloured)
    fitted = Detectability.fit(images, centres, DIAMETER)
    full = fitted.dprime(images, centres)
    half, half_centres = micrographs(8, 0.75, coloured, 50)
    error_db = 20 * log10(fitted.dprime(half, half_centres) / full)
    assert error_db == pytest.approx(-6.0, abs=1.2)
    crystal = torch.zeros(SIDE, SIDE)
    crystal[62:66, 62:66] = -40.0
    spoilt = [image + crystal for image in images]
    assert abs(20 * log10(fitted.dprime(spoilt, centres) / full)) < 0.5


def test_gain_offset_and_a_hot_pixel_change_nothing():
    images, centres = micrographs(4, 1.5, coloured)
    fitted = Detectability.fit(images, centres, DIAMETER)
    scaled = [700 * image + 12000 for image in images]
    plain = fitted.dprime(images, centres)
    assert fitted.dprime(scaled, centres) == pytest.approx(plain, rel=1e-3)
    hot = [image.clone() for image in images]
    hot[0][128, 96] = 1e6
    assert fitted.dprime(hot, centres) == pytest.approx(plain, rel=0.02)


def test_statistics_of_micrographs_stand_alone_and_none_gives_nan():
    images, centres = micrographs(3, 1.5, coloured)
    fitted = Detectability.fit(images, centres, DIAMETER)
    together = fitted.statistics(images, centres)
    alone = fitted.statistics(images[1:2], centres[1:2])[0]
    assert together[1].particle_sum == alone.particle_sum
    assert torch.equal(together[1].background_counts, alone.background_counts)
    assert alone.n_particles == 16
    none = torch.zeros(0, 2, dtype=torch.float64)
    assert isnan(fitted.dprime(images, [none] * 3))
    far = torch.tensor([[-40.0, 10.0], [128.0, 3.0]])  # outside, and too near to the border
    assert fitted.statistics(images[:1], [far])[0].n_particles == 0


def test_recentring_forgives_picks_that_are_off():
    images, centres = micrographs(8, 1.5, white)
    fitted = Detectability.fit(images, centres, DIAMETER)
    off = [c + 4 for c in centres]
    fixed = replace(fitted, recentre_px=0)
    true, moved = fitted.statistics(images, centres), fitted.statistics(images, off)
    assert [m.particle_sum for m in moved] == pytest.approx([t.particle_sum for t in true])
    assert fixed.dprime(images, off) < 0.85 * fixed.dprime(images, centres)


def test_bad_input_is_named():
    images, centres = micrographs(2, 1.5, white)
    with pytest.raises(CryoccdError, match="particle diameter: 500"):
        Detectability.fit(images, centres, 500)
    with pytest.raises(CryoccdError, match="picks: none"):
        Detectability.fit(images, [torch.zeros(0, 2)] * 2, DIAMETER)
