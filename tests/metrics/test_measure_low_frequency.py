from math import isnan, pi

import pytest
import scipy.fft
import torch
from noise_fields import PIXEL_A, SIDE, field, figures, gradient, noise, rises

from cryoccd.errors import CryoccdError
from cryoccd.metrics.noise.low_frequency import LowFrequencyField

MEASURE = LowFrequencyField(500.0)
REAL = [noise(i) + 0.3 * gradient(i) for i in range(8)]


def wave(count, side=SIDE, along=0):
    """Cosine of `count` half waves a field and variance 1, the same along the other axis."""
    line = 2**0.5 * torch.cos(pi * count * (torch.arange(side) + 0.5) / side)
    image = line[:, None].expand(side, side)
    return image if along == 0 else image.T


def errors(made, real=REAL):
    return figures(MEASURE, real, made)


def test_a_wave_has_its_variance_and_is_slow_below_the_cutoff_only():
    # 4 half waves in 1024 A: 512 A; 5: 410 A
    for count, along in ((1, 0), (3, 1), (4, 0)):
        assert MEASURE.describe(field(wave(count, SIDE, along))).variance == pytest.approx(1)
    assert MEASURE.describe(field(wave(5))).variance == pytest.approx(0, abs=1e-9)
    assert MEASURE.describe(field(wave(3) + 7)).variance == pytest.approx(1, rel=1e-5)


def test_a_gradient_from_end_to_end_is_slow():
    ramp = torch.linspace(-1, 1, SIDE)[None].expand(SIDE, SIDE)
    assert MEASURE.describe(field(ramp)).variance == pytest.approx(float(ramp.var()), rel=0.02)


def test_waves_are_those_of_scipy():
    image = REAL[0][:200]
    power = torch.from_numpy(scipy.fft.dctn(image.double().numpy(), norm="ortho")) ** 2
    f_y, f_x = (torch.arange(n).double() / (2 * n * PIXEL_A) for n in power.shape)
    f = torch.hypot(f_y[:, None], f_x[None, :])
    slow = (f > 0) & (f <= 1 / 500)
    found = MEASURE.describe(field(image))
    assert float(found.waves.sum()) == int(slow.sum())
    assert found.variance == pytest.approx(float(power[slow].sum()) / power.numel(), rel=1e-6)
    first = slow & (f > 1 / 1000)
    assert float(found.power[0]) == pytest.approx(float(power[first].sum()), rel=1e-6)


def test_white_noise_has_its_share_of_waves():
    parts = [MEASURE.describe(field(2 * noise(i, 0.0))) for i in range(60)]
    waves = float(parts[0].waves.sum())
    variance = sum(p.variance for p in parts) / len(parts)
    assert variance == pytest.approx(4 * waves / SIDE**2, rel=0.15)


def test_strength_and_profile_have_closed_forms():
    real = [wave(1) + wave(3)]
    louder = errors([2 * wave(1) + 2 * wave(3)], real)
    assert louder["low_frequency_db"] == pytest.approx(6.0206, abs=1e-3)
    assert louder["low_frequency_profile_db"] == pytest.approx(6.0206, abs=1e-3)
    # 3 half waves (683 A) twice as strong, 1 (2048 A) as before, 1000 A to 2000 A empty on both
    tilted = errors([wave(1) + 2 * wave(3) + 1e-3 * wave(2)], [real[0] + 1e-3 * wave(2)])
    assert tilted["low_frequency_db"] == pytest.approx(3.979, abs=1e-3)
    assert tilted["low_frequency_profile_db"] == pytest.approx(6.0206 / 3, abs=1e-2)


def test_grows_with_a_missing_gradient_and_not_with_fine_noise():
    weak = [
        errors([noise(i) + a * gradient(i) for i in range(8, 16)]) for a in (0.3, 0.2, 0.1, 0.0)
    ]
    assert abs(weak[0]["low_frequency_db"]) < 1.5
    assert weak[0]["low_frequency_profile_db"] < 2
    assert rises([-found["low_frequency_db"] for found in weak], 2)
    assert rises([found["low_frequency_profile_db"] for found in weak], 1)
    assert weak[-1]["low_frequency_db"] < -15
    strong = errors([noise(i) + 0.6 * gradient(i) for i in range(8, 16)])
    assert strong["low_frequency_db"] == pytest.approx(6 + weak[0]["low_frequency_db"], abs=0.3)
    k = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    fine = k - k.roll(1, 0)  # nothing slow
    assert errors([x + fine for x in REAL])["low_frequency_db"] == pytest.approx(0, abs=0.2)


def test_shapes_may_differ_and_small_fields_are_left_out():
    small = wave(1, 32)  # 128 A: no wave of 500 A
    assert isnan(errors([small])["low_frequency_db"])
    assert isnan(errors([small])["low_frequency_profile_db"])
    assert errors([*REAL, small]) == pytest.approx(dict.fromkeys(errors(REAL), 0.0), abs=1e-9)
    assert errors([x[:200, :180] for x in REAL])["low_frequency_db"] == pytest.approx(0, abs=2)
    assert isnan(errors([torch.zeros(SIDE, SIDE)])["low_frequency_db"])
    assert isnan(MEASURE.compare([], [])["low_frequency_db"])


def test_a_cutoff_of_nothing_is_refused():
    with pytest.raises(CryoccdError, match="cutoff_A = 0"):
        LowFrequencyField(0.0)
