from dataclasses import replace
from math import isnan

import pytest
import torch
from particle_fields import DIAMETER, GAIN, PIXEL_SIZE_A, clean_of, field_of, fields, noise_of

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.metrics.measure import Field
from cryoccd.metrics.signal.signal_slope import SignalSlope

NAMES = [figure.name for figure in SignalSlope.figures]


def slopes(made, gain=GAIN):
    measure = SignalSlope(gain)
    parts = [measure.describe(field) for field in made]
    return measure.compare([], parts), measure.standard_errors(parts)


def low_passed(field, end_A):
    spectrum = torch.fft.rfft2(GAIN * field.clean.double())
    k = radial_frequency(tuple(field.image.shape), rfft=True) / PIXEL_SIZE_A
    kept = torch.fft.irfft2(spectrum * (k < 1 / end_A), s=tuple(field.image.shape))
    return replace(field, image=kept.float())


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 1.5])
def test_slope_is_the_share_of_the_signal_in_every_band(share):
    found, errors = slopes(fields(6, share=share))
    for name in NAMES:
        assert found[name] == pytest.approx(share, abs=3.5 * errors[name])
        assert errors[name] < 0.03


def test_without_noise_it_is_exact_in_a_crowded_field_and_blind_to_offset_and_ramp():
    generator = torch.Generator().manual_seed(3)
    centres = 30 + 196 * torch.rand(90, 2, generator=generator, dtype=torch.float64)
    clean = clean_of(centres, 4)
    wave = torch.cos(2 * torch.pi * torch.arange(256) / 256)  # 1024 A: slower than any band
    image = 0.7 * GAIN * clean + 5 + 8 * wave[:, None]
    field = Field(image, PIXEL_SIZE_A, centres, DIAMETER * PIXEL_SIZE_A, clean)
    assert slopes([field])[0] == pytest.approx(dict.fromkeys(NAMES, 0.7), abs=1e-5)


@pytest.mark.parametrize(("end_A", "kept"), [(40, 1), (20, 2), (10, 3)])
def test_a_low_pass_takes_the_high_bands_alone(end_A, kept):
    found, _ = slopes([low_passed(field_of(1), end_A)])
    expected = [1.0] * kept + [0.0] * (4 - kept)
    assert list(found.values()) == pytest.approx(expected, abs=1e-5)


def test_half_the_gain_assumed_doubles_the_slope():
    found, errors = slopes(fields(4), gain=GAIN / 2)
    assert found[NAMES[0]] == pytest.approx(2, abs=4 * errors[NAMES[0]])


def test_standard_error_is_the_spread_over_draws_of_the_noise():
    field = field_of(2)
    draws = [replace(field, image=GAIN * field.clean + noise_of(50 + i)) for i in range(60)]
    found, errors = zip(*(slopes([draw]) for draw in draws), strict=True)
    for name in NAMES:
        spread = float(torch.tensor([f[name] for f in found]).std())
        mean_error = sum(e[name] for e in errors) / len(errors)
        assert mean_error == pytest.approx(spread, rel=0.35)


def test_bands_beyond_nyquist_and_without_signal_are_undefined():
    coarse = replace(field_of(1), pixel_size_A=10.0)  # Nyquist at 20 A
    assert [isnan(v) for v in slopes([coarse])[0].values()] == [False, False, True, True]
    smooth = field_of(1)
    smooth = replace(smooth, clean=low_passed(smooth, 20).image / GAIN)
    assert [isnan(v) for v in slopes([smooth])[0].values()] == [False, False, True, True]
    none = replace(field_of(1), centres_px=torch.zeros(0, 2))
    assert all(isnan(v) for results in slopes([none]) for v in results.values())
    assert all(isnan(v) for v in SignalSlope(1.0).compare([], []).values())


def test_order_of_micrographs_does_not_matter():
    made = fields(3)
    forward, backward = slopes(made)[0], slopes(made[::-1])[0]
    assert forward == pytest.approx(backward, rel=1e-12)


def test_what_lacks_and_what_is_wrong_is_named():
    field, measure = field_of(1), SignalSlope(1.0)
    assert measure.lacks(field) == ""
    assert measure.lacks(replace(field, clean=None)) == "clean images"
    assert measure.lacks(replace(field, centres_px=None)) == "picks"
    assert measure.lacks(replace(field, diameter_A=None)) == "the particle diameter"
    with pytest.raises(CryoccdError, match=r"clean image: shape \(8, 8\)"):
        measure.describe(replace(field, clean=torch.zeros(8, 8)))
    with pytest.raises(CryoccdError, match="gain = 0"):
        SignalSlope(0.0)
