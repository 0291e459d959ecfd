"""Spectrum of the background of tomograms, and fields that have it."""

import numpy as np
import pytest
import torch
from scipy.signal import periodogram

from cryoccd.errors import CryoccdError
from cryoccd.imaging.volume_psd import VolumePower, random_volume, volume_spectrum

REACH = 8
LENGTHS = (1.6, 0.9, 2.2)  # of the correlation along z, y and x


def lags_of(reach: int = REACH) -> list[torch.Tensor]:
    lags = torch.fft.fftfreq(2 * reach, 1 / (2 * reach), dtype=torch.float64)
    return list(torch.meshgrid(lags, lags, lags, indexing="ij"))


def taper(reach: int = REACH) -> torch.Tensor:
    radius = torch.stack(lags_of(reach)).norm(dim=0) / reach
    return torch.where(radius < 1, 0.5 + 0.5 * torch.cos(torch.pi * radius), 0.0)


def gaussian(reach: int = REACH) -> torch.Tensor:
    """Autocorrelation exp(-sum u^2 / 2 l^2) under a taper."""
    pairs = zip(lags_of(reach), LENGTHS, strict=True)
    return torch.exp(-sum(u**2 / (2 * length**2) for u, length in pairs)) * taper(reach)


def hann_lags(side: int) -> torch.Tensor:
    """Autocorrelation of a Hann window over its power, at lags 0 to side - 1."""
    window = np.hanning(side + 1)[:-1]
    return torch.from_numpy(np.correlate(window, window, "full")[side - 1 :] / (window**2).sum())


def drawn(seed: int, shape=(REACH,) * 3, known=None) -> torch.Tensor:
    known = gaussian() if known is None else known
    return random_volume(known, shape, torch.Generator().manual_seed(seed))


def test_a_cube_has_the_periodogram_of_scipy():
    cube = drawn(0)
    power = VolumePower(REACH)
    power.add(cube, torch.ones_like(cube))
    found = torch.fft.rfftn(power.autocorrelation()).real
    # scipy's along x, of what is transformed along z and y at frequency 0
    hann = torch.hann_window(REACH)
    line = (cube * hann[:, None, None] * hann[:, None]).sum((0, 1)).numpy()
    _, along_x = periodogram(
        line, window="hann", nfft=2 * REACH, detrend=False, return_onesided=False
    )
    scale = float((hann**2).sum()) ** 2
    assert found[0, 0].numpy() == pytest.approx(along_x[: REACH + 1] / scale, rel=1e-4)


def test_an_anisotropic_background_is_found_between_particles():
    side, rng = 12, np.random.default_rng(3)
    power, raw = VolumePower(side), VolumePower(side)
    for seed in range(150):
        cube = drawn(seed, (side,) * 3)
        z, y, x = np.indices(cube.shape)
        place = rng.integers(0, side, 3)  # a particle, bright
        apart = np.sqrt((z - place[0]) ** 2 + (y - place[1]) ** 2 + (x - place[2]) ** 2)
        weight = torch.from_numpy(np.clip((apart - 3) / 3, 0, 1)).float()
        seen = torch.where(torch.from_numpy(apart < 3), 8.0, cube)
        power.add(seen, weight)
        raw.add(seen, torch.ones_like(seen))
    found, known, window = power.autocorrelation(), gaussian(), hann_lags(side)
    assert float(found[0, 0, 0]) == pytest.approx(1, abs=0.03)
    for z, y, x in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (0, 0, 2), (1, 1, 1), (0, 0, 4)]:
        # the window takes its own autocorrelation, weights about particles hardly more
        expected = float(known[z, y, x] * window[z] * window[y] * window[x])
        assert float(found[z, y, x]) == pytest.approx(expected, abs=0.05)
    assert float(raw.autocorrelation()[0, 0, 0]) > 2  # without the weights


def test_the_spectrum_is_the_closed_form():
    shape = (32, 36, 40)
    power = volume_spectrum(gaussian(), shape)
    lag = torch.arange(-7, 8)
    waves = [
        torch.cos(2 * torch.pi * torch.fft.fftfreq(n, dtype=torch.float64)[:, None] * lag)
        for n in shape
    ]
    direct = torch.einsum(
        "zyx,az,by,cx->abc", gaussian()[lag[:, None, None], lag[:, None], lag], *waves
    )
    assert torch.allclose(power, direct[..., :21].clamp_min(0), atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 24, 28), (5, 24, 33)])
def test_a_field_has_the_variance_and_the_spectrum_and_does_not_wrap(shape):
    fields = torch.stack([drawn(seed, shape) for seed in range(200)])
    known = gaussian()
    assert fields.dtype == torch.float32
    assert float(fields.var()) == pytest.approx(1, abs=0.03)
    for z, y, x in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 2), (0, 0, 4)]:
        depth, height, width = shape
        one = fields[:, : depth - z, : height - y, : width - x]
        assert float((one * fields[:, z:, y:, x:]).mean()) == pytest.approx(
            float(known[z, y, x]), abs=0.03
        )
    # neighbours across the face would have 0.88
    assert float((fields[..., 0] * fields[..., -1]).mean()) == pytest.approx(0, abs=0.04)


def measured(amplitude: torch.Tensor, side: int = 24) -> torch.Tensor:
    """Spectrum on the amplitude's grid of cubes cut from fields that have its square."""
    n, power = amplitude.shape[0], VolumePower(side)
    for seed in range(4):
        white = torch.randn(n, n, n, generator=torch.Generator().manual_seed(seed))
        field = torch.fft.ifftn(torch.fft.fftn(white) * amplitude).real
        for z in (0, 12, 24):
            for x in (0, 12, 24):
                cube = field[z : z + side, 12 : 12 + side, x : x + side]
                power.add(cube, torch.ones_like(cube))
    return volume_spectrum(power.autocorrelation(), (n,) * 3)


def test_what_is_far_below_the_rest_stays_there():
    n = 48
    kz, ky, kx = torch.meshgrid(*[torch.fft.fftfreq(n) for _ in range(3)], indexing="ij")
    radius = (kz**2 + ky**2 + kx**2).sqrt()
    tilt_deg = torch.rad2deg(torch.atan2(kz.abs(), kx.abs()))
    half = ..., slice(n // 2 + 1)
    found = measured((tilt_deg <= 60).float())  # a missing wedge
    band = ((radius > 0.3) & (radius < 0.45) & (ky.abs() < 0.1))[half]
    inside, outside = band & (tilt_deg > 80)[half], band & (tilt_deg < 45)[half]
    assert float(found[inside].mean() / found[outside].mean()) < 0.02
    found = measured(torch.exp(-((radius / 0.12) ** 2)))  # what a denoiser leaves
    # the closed form has 4e-8 of the highest at 0.35
    assert float(found[(radius > 0.35)[half]].mean() / found.max()) < 1e-6


def test_no_background_is_refused():
    power = VolumePower(4)
    power.add(torch.ones(4, 4, 4), torch.zeros(4, 4, 4))
    with pytest.raises(CryoccdError, match="no cube between the particles"):
        power.autocorrelation()
