"""Error of the radial power spectrum, between and inside the particles, in decibels.

A micrograph is cut into tiles that overlap by half. In each tile the weights are w = Hann x mask;
the weighted mean is removed and the power summed over rings,

    P_k = sum_tiles sum_(ring k) |F[w (x - m)]|^2 / sum_tiles sum w^2 ,

so that white noise of variance v has power v whatever the mask, and a tile counts by the area that
the mask leaves in it. Tiles where that is under a twentieth of the window are left out: their few
pixels blur the spectrum over all rings. The error is the mean of |10 log10 ratio| over the rings
from 4 cycles a tile to 0.9 Nyquist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.fourier import radial_average
from cryoccd.imaging.discs import disc_mask
from cryoccd.metrics.spectral.tile_power import tile_sums

FIRST_RING = 4
LAST_RING = 0.9  # of Nyquist


@dataclass(frozen=True)
class RingPower:
    """Sufficient statistics of one micrograph: sums over its tiles.

    Args:
        power: (rings,) float64 sums of power over the tiles, rings averaged.
        weight: the sum of w^2; 0 where no tile had enough of the mask.
    """

    power: Tensor
    weight: float


def particle_mask(image: Tensor, centres_px: Tensor, diameter_px: float) -> Tensor:
    """Boolean (h, w), true inside discs of one diameter."""
    shape_px = (int(image.shape[0]), int(image.shape[1]))
    return disc_mask(shape_px, centres_px, diameter_px / 2)


def ring_power(image: Tensor, mask: Tensor, tile_px: int) -> RingPower:
    """Masked power of the rings FIRST_RING to LAST_RING.

    Args:
        image: (h, w).
        mask: boolean (h, w), true where pixels count.
        tile_px: side of the tiles, at most that of the image.
    """
    power, weight = tile_sums(image, mask, tile_px)
    rings = radial_average(power)[FIRST_RING : int(LAST_RING * tile_px / 2) + 1]
    return RingPower(rings, weight)


def spectrum_error_db(real: Sequence[RingPower], generated: Sequence[RingPower]) -> float:
    """Mean of |10 log10(generated / real)| over the rings; NaN where a side has no area."""
    ratio = _mean_power(generated) / _mean_power(real)
    return float((10 * ratio.log10()).abs().mean())


def _mean_power(parts: Sequence[RingPower]) -> Tensor:
    total = torch.stack([part.power for part in parts]).sum(0)
    weight = sum(part.weight for part in parts)
    return total / weight if weight > 0 else torch.full_like(total, float("nan"))
