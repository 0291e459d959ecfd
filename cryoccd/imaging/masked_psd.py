"""Power spectrum of background seen only between the particles.

In a crowded field no window is free of particles, so the spectrum comes from the autocorrelation
of what lies between them, each lag divided by the number of pixel pairs that the mask leaves:

    R(u) = sum_i sum_r m_i(r) m_i(r + u) x_i(r) x_i(r + u) / sum_i sum_r m_i(r) m_i(r + u)

(Wiener-Khinchin with a mask; Padfield 2012, IEEE Trans. Image Process. 21, eq. 9 for the masked
products.) A taper over the lags sets the spectral resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError

LEAST_PAIRS = 64.0
"""Pixel pairs under which a lag is no estimate but an accident."""


@dataclass(frozen=True, eq=False)
class LagSums:
    """Sums of one micrograph, which add up over micrographs.

    Args:
        products: (2 n, 2 n) float64 sums of masked products at lags -n to n - 1 pixels of y and x,
            lag 0 at [0, 0].
        pairs: the same of the masks: numbers of pixel pairs.
    """

    products: Tensor
    pairs: Tensor


def lag_sums(image: Tensor, mask: Tensor, reach_px: int) -> LagSums:
    """Products and pairs at lags -reach_px to reach_px - 1.

    Args:
        image: (h, w), around 0.
        mask: boolean (h, w), true where pixels count.
        reach_px: largest lag plus one.
    """
    weight = mask.to(torch.float64)
    return LagSums(_correlate(image * weight, reach_px), _correlate(weight, reach_px))


def masked_autocorrelation(
    images: Sequence[Tensor], masks: Sequence[Tensor], max_lag_px: int
) -> Tensor:
    """Tapered autocorrelation of the pixels where the masks are true.

    Args:
        images: (h, w) fields.
        masks: boolean (h, w), true where a pixel is background.
        max_lag_px: largest lag; the taper (radial Hann) falls to 0 there.

    Returns:
        (2 * max_lag_px, 2 * max_lag_px) float64 with lag 0 at [0, 0], symmetric.

    Raises:
        CryoccdError: too little background for the largest lags, or a lag below 1.
    """
    if max_lag_px < 1:
        raise CryoccdError(f"max_lag_px = {max_lag_px}, expected 1 or more pixels")
    size = 2 * max_lag_px
    products = torch.zeros(size, size, dtype=torch.float64)
    pairs = torch.zeros_like(products)
    for image, mask in zip(images, masks, strict=True):
        weight = mask.to(torch.float64)
        if float(weight.sum()) == 0:
            continue
        mean = (image.to(torch.float64) * weight).sum() / weight.sum()
        sums = lag_sums(image.to(torch.float64) - mean, mask, max_lag_px)
        products += sums.products
        pairs += sums.pairs
    taper = _taper(max_lag_px)
    if bool((pairs[taper > 0.05] < LEAST_PAIRS).any()):
        raise CryoccdError(
            f"background: too few pixel pairs between particles at lags up to {max_lag_px} px; "
            "give more micrographs or a smaller lag"
        )
    estimate: Tensor = products / pairs.clamp_min(LEAST_PAIRS) * taper
    return estimate


def spectrum_of(autocorrelation: Tensor, shape_px: tuple[int, int]) -> Tensor:
    """Power per pixel (h, w), unshifted, of a tapered autocorrelation laid into a field.

    White noise of variance v has power v at every frequency. Lags beyond half of the field are
    left out; negative power, which the estimate may have, is set to 0.
    """
    lag = int(autocorrelation.shape[0]) // 2
    reach_y, reach_x = (min(lag, (side - 1) // 2) for side in shape_px)
    y = torch.arange(-reach_y, reach_y + 1)
    x = torch.arange(-reach_x, reach_x + 1)
    field = torch.zeros(shape_px, dtype=torch.float64)
    field[y[:, None], x[None, :]] = autocorrelation[y[:, None], x[None, :]]
    power: Tensor = torch.fft.fft2(field).real.clamp_min(0)
    return power


def random_field(power: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian random field (h, w) float32 of a given power per pixel."""
    height, width = power.shape
    white = torch.randn(height, width, generator=generator, dtype=torch.float64)
    amplitude = power[:, : width // 2 + 1].sqrt()
    field: Tensor = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=(height, width))
    return field.to(torch.float32)


def _correlate(field: Tensor, reach_px: int) -> Tensor:
    """Linear autocorrelation of a field at lags -reach_px to reach_px - 1, lag 0 at [0, 0]."""
    # the lag -reach_px may wrap onto itself: tapers are 0 there
    shape = [int(next_fast_len(int(side) + reach_px, real=True)) for side in field.shape]
    full: Tensor = torch.fft.irfft2(torch.fft.rfft2(field, s=shape).abs().square(), s=shape)
    lags = torch.cat([torch.arange(reach_px), torch.arange(-reach_px, 0)])
    return full[lags[:, None], lags[None, :]]


def _taper(max_lag_px: int) -> Tensor:
    lags = torch.fft.fftfreq(2 * max_lag_px, 1 / (2 * max_lag_px), dtype=torch.float64)
    radius = torch.hypot(lags[:, None], lags[None, :]) / max_lag_px
    return torch.where(radius < 1, 0.5 + 0.5 * torch.cos(torch.pi * radius), 0.0)
