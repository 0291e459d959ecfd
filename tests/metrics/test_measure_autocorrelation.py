from math import isnan

import pytest
import torch
from noise_fields import CENTRES, DIAMETER_A, PIXEL_A, SIDE, field, figures, gradient, noise, rises

from cryoccd.errors import CryoccdError
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.masked_psd import lag_sums, masked_autocorrelation
from cryoccd.metrics.measure import Field
from cryoccd.metrics.noise.autocorrelation import NoiseAutocorrelation

REAL = [noise(i) for i in range(6)]


def error(made, max_lag_px=8, real=REAL):
    return figures(NoiseAutocorrelation(max_lag_px), real, made)["acf_rmse"]


def test_a_moving_average_has_its_closed_form():
    # x(r) + x(r - 1) / 2 along the rows: rho = 0.4 at two of the 48 lags, 0 elsewhere
    white = [noise(i, 0.0) for i in range(6)]
    made = [noise(i, 0.0) for i in range(6, 12)]
    striped = [x + x.roll(1, 1) / 2 for x in made]
    assert error(striped, 4, white) == pytest.approx((2 * 0.4**2 / 48) ** 0.5, rel=0.1)
    assert error([x.T for x in striped], 4, striped) == pytest.approx(
        (4 * 0.4**2 / 48) ** 0.5, rel=0.1
    )
    assert error(made, 4, white) < 0.006


def test_grows_with_the_blur_and_not_with_other_faults():
    made = [noise(i) for i in range(6, 12)]
    blurred = [error([noise(i, blur) for i in range(6, 12)]) for blur in (0.5, 0.6, 0.75, 1.0)]
    assert blurred[0] < 0.008
    assert rises(blurred, 0.01)
    slow = [x + 0.5 * gradient(i) for i, x in enumerate(made)]
    assert error(slow) == pytest.approx(blurred[0], abs=0.004)
    discs = disc_mask((SIDE, SIDE), CENTRES, DIAMETER_A / PIXEL_A / 2)
    assert error([x - 5 * discs for x in made]) == pytest.approx(blurred[0], abs=0.004)
    assert error([3 * x for x in made]) == pytest.approx(blurred[0], abs=1e-6)


def test_sums_are_those_of_the_tapered_estimate():
    image = REAL[0].double() - REAL[0].double().mean()
    everywhere = torch.ones(SIDE, SIDE, dtype=torch.bool)
    sums = lag_sums(image, everywhere, 6)
    lags = torch.fft.fftfreq(12, 1 / 12, dtype=torch.float64)
    radius = torch.hypot(lags[:, None], lags[None, :]) / 6
    taper = torch.where(radius < 1, 0.5 + 0.5 * torch.cos(torch.pi * radius), 0.0)
    expected = masked_autocorrelation([image], [everywhere], 6)
    torch.testing.assert_close(sums.products / sums.pairs * taper, expected, atol=1e-9, rtol=0)
    assert float(sums.pairs[2, -3]) == pytest.approx((SIDE - 2) * (SIDE - 3))


def test_order_and_split_do_not_count():
    measure = NoiseAutocorrelation(8)
    real, made = ([measure.describe(field(noise(i + n))) for i in range(3)] for n in (0, 3))
    forth, back = measure.compare(real, made), measure.compare(real[::-1], made[::-1])
    assert forth["acf_rmse"] == pytest.approx(back["acf_rmse"], rel=1e-9)
    assert measure.compare(real, real)["acf_rmse"] == 0
    assert measure.compare(real, real + real)["acf_rmse"] == pytest.approx(0, abs=1e-9)


def test_undefined_without_background_and_without_noise():
    crowd = Field(REAL[0], PIXEL_A, torch.full((1, 2), SIDE / 2), 4 * SIDE * PIXEL_A)
    assert isnan(figures(NoiseAutocorrelation(), [crowd], [REAL[1]])["acf_rmse"])
    assert isnan(error([torch.zeros(SIDE, SIDE)]))
    assert isnan(NoiseAutocorrelation().compare([], [])["acf_rmse"])


def test_what_is_lacking_is_named():
    measure = NoiseAutocorrelation()
    assert measure.lacks(field(REAL[0])) == ""
    assert measure.lacks(field(REAL[0], picked=False)) == "picks"
    assert measure.lacks(Field(REAL[0], PIXEL_A, CENTRES)) == "the particle diameter"
    with pytest.raises(CryoccdError, match="lacks picks"):
        measure.describe(field(REAL[0], picked=False))
    with pytest.raises(CryoccdError, match="max_lag_px = 0"):
        NoiseAutocorrelation(0)
