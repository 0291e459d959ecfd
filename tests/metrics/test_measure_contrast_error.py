from dataclasses import replace
from math import isnan, log10

import pytest
import torch
from particle_fields import DIAMETER, fields

from cryoccd.metrics.signal.contrast_error import ContrastError
from cryoccd.metrics.signal.detectability import Detectability

FAINT = 0.4  # d' of 4
SNR, DPRIME = "particle_snr_error_db", "contrast_error_db"


@pytest.fixture(scope="module")
def measure():
    train = fields(8, 500, FAINT)
    images, centres = [f.image for f in train], [f.centres_px for f in train]
    return ContrastError(Detectability.fit(images, centres, DIAMETER))


@pytest.fixture(scope="module")
def real(measure):
    return [measure.describe(field) for field in fields(8, 900, FAINT)]


def errors(measure, real, share=1.0, strength=1.0):
    made = [measure.describe(field) for field in fields(8, 0, FAINT * share, strength)]
    return measure.compare(real, made)


def test_two_draws_of_one_process_agree(measure, real):
    # 200 particles of d' 4 a side: 0.25 dB each
    assert errors(measure, real) == pytest.approx({DPRIME: 0, SNR: 0}, abs=0.9)


def test_both_follow_the_contrast_in_decibels_also_where_particles_are_faint(measure, real):
    shares = (0.35, 0.5, 0.71, 1.0, 1.41, 2.0)
    found = [errors(measure, real, share) for share in shares]
    for name in (DPRIME, SNR):
        values = [f[name] for f in found]
        assert values == sorted(values)
        steps = [value - values[3] for value in values]  # the same noise: no error of its own
        assert steps == pytest.approx([-9.1, -6.0, -3.0, 0.0, 3.0, 6.0], abs=0.8)


def test_both_follow_the_noise(measure, real):
    same, noisy = errors(measure, real), errors(measure, real, strength=1.41)
    for name in (DPRIME, SNR):
        assert noisy[name] - same[name] == pytest.approx(-3, abs=0.6)


def test_slow_ice_counts_as_background_of_the_ratio(measure, real):
    wave = torch.cos(2 * torch.pi * torch.arange(256) / 256)[:, None]
    icy = [replace(f, image=f.image + 1.5 * wave) for f in fields(8, 0, FAINT)]
    found = measure.compare(real, [measure.describe(field) for field in icy])
    # variance 0.7 of the noise, 1.1 of the wave
    assert found[SNR] - errors(measure, real)[SNR] == pytest.approx(-4.1, abs=1)


def test_contrast_error_is_the_ratio_of_dprime(measure, real):
    sides = [fields(8, 900, FAINT), fields(8, 0, FAINT * 0.7)]
    d_real, d_made = (
        measure.detectability.dprime([f.image for f in side], [f.centres_px for f in side])
        for side in sides
    )
    expected = 20 * log10(d_made / d_real)
    assert errors(measure, real, 0.7)[DPRIME] == pytest.approx(expected, abs=1e-5)


def test_gain_and_offset_change_nothing_and_absence_is_undefined(measure, real):
    made = fields(2, 0, FAINT)
    scaled = [replace(f, image=700 * f.image + 12000) for f in made]
    plain = measure.compare(real, [measure.describe(f) for f in made])
    moved = measure.compare(real, [measure.describe(f) for f in scaled])
    assert moved == pytest.approx(plain, abs=0.02)  # float32 at 12000
    light = measure.compare(real, [measure.describe(replace(f, image=-f.image)) for f in made])
    none = [measure.describe(replace(f, centres_px=torch.zeros(0, 2))) for f in made]
    for undefined in (light, measure.compare(real, none), measure.compare([], real)):
        assert all(isnan(value) for value in undefined.values())
    assert measure.lacks(made[0]) == ""
    assert measure.lacks(replace(made[0], centres_px=None)) == "picks"
