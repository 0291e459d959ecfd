"""Peaks and dips of the power at the frequencies of a network's strides.

Strides of 2, 4, 8 and 16 leave patterns of these periods: power at (i/16, j/16) cycles a pixel,
which holds all of them, without 0. Radial averages hide such points among thousands of others. The
power of one micrograph in decibels is taken relative to its surroundings in two steps:

1. less its radial curve: ring means of the clean bins, two or more away from any lattice frequency
   in x or y, interpolated in the radius and continued straight to the corner of the band;
2. at each lattice frequency, less the mean of the 16 bins two away (the Hann window smears one).

Thon rings go with the first step, slow change with direction with the second. What is left is e for
a real, g for a generated micrograph. The mean difference g - e is judged at the frequency where it
is greatest, but the greatest of many noisy numbers is too great. So each pair of micrographs (i, j)
is judged at the frequency f_ij where the mean difference of all others is greatest,

    peak = mean_(i, j) [g_j(f_ij) - e_i(f_ij)] ,

whose expectation is exactly 0 for two draws of one process, and the height of a peak that stands
out. It scatters by about half a dB for eight micrographs of 256 px a side, and is below 0 for a set
against itself, as U-statistics are. The dip is the same of the negatives. A checkerboard of
amplitude a in white noise of variance 1 is a peak of 10 log10(1 + 4 a^2 n^2 / 9) dB with tiles of
n px (Hann window); noise enlarged by repeating pixels has dips (Odena et al. 2016, Distill,
10.23915/distill.00003, for the patterns; cross-validated choice after Stone 1974, J. R. Stat. Soc.
B 36, 111).
"""

from collections.abc import Sequence
from math import nan
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.spectral.areas import area_mask
from cryoccd.metrics.spectral.tile_power import tile_power

_STRIDE = 16  # the largest; those below divide it
_AWAY = 2  # bins from a lattice frequency to its surroundings


class LatticePeaks(Measure[Tensor]):
    """lattice_peak_db and lattice_dip_db; NaN with fewer than two micrographs a side.

    Args:
        tile_px: side of the tiles, a multiple of 16 so that the frequencies fall on bins, from 64
            so that bins lie between them; at most the smallest side of any micrograph. Larger ones
            make a strict pattern stand out more and average fewer tiles.

    Raises:
        CryoccdError: another tile_px.
    """

    figures = (
        Figure("lattice_peak_db", 0.0, "greatest excess at periods 2 to 16 px of strides, dB"),
        Figure("lattice_dip_db", 0.0, "greatest lack at periods 2 to 16 px of strides, dB"),
    )
    fewest: ClassVar[int] = 2

    def __init__(self, tile_px: int = 64) -> None:
        if tile_px < 4 * _STRIDE or tile_px % _STRIDE:
            raise CryoccdError(f"tile_px = {tile_px}, expected a multiple of 16 from 64; change it")
        self.tile_px = tile_px

    def describe(self, field: Field) -> Tensor:
        """(129,) float64 dB over the surroundings, at half of the lattice (power is even).

        Raises:
            CryoccdError: the tile does not fit.
        """
        power = tile_power(field.image, area_mask(field, "whole"), self.tile_px)
        decibels = _less_radial_curve(10 * power.log10())
        y, x = _lattice(self.tile_px).unbind(1)
        steps = torch.cartesian_prod(*[torch.arange(-_AWAY, _AWAY + 1)] * 2)
        up, right = steps[steps.abs().amax(1) == _AWAY].unbind(1)
        around = decibels[(y[:, None] + up) % self.tile_px, (x[:, None] + right) % self.tile_px]
        return decibels[y, x] - around.mean(1)

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """The greatest excess and lack, cross-validated over pairs of micrographs."""
        e, g = (torch.stack(list(side)) for side in (real, made))
        e, g = (side[side.isfinite().all(1)] for side in (e, g))
        return {"lattice_peak_db": _greatest(e, g), "lattice_dip_db": _greatest(-e, -g)}


def _greatest(e: Tensor, g: Tensor) -> float:
    """Mean over pairs of g - e at the frequency where that of all others is greatest."""
    if min(len(e), len(g)) < 2:
        return nan
    others_e, others_g = ((x.sum(0) - x) / (len(x) - 1) for x in (e, g))
    total = 0.0
    for one, others in zip(e, others_e, strict=True):
        at = (others_g - others).argmax(1)
        total += float((g.gather(1, at[:, None])[:, 0] - one[at]).sum())
    return total / (len(e) * len(g))


def _lattice(tile_px: int) -> Tensor:
    """(129, 2) bins y, x of the lattice frequencies: one of each opposite pair, without 0."""
    step, half = tile_px // _STRIDE, tile_px // 2
    bins = torch.cartesian_prod(torch.arange(0, half + 1, step), torch.arange(0, tile_px, step))
    y, x = bins.unbind(1)
    return bins[(y % half > 0) | ((x <= half) & (x + y > 0))]


def _less_radial_curve(decibels: Tensor) -> Tensor:
    """Without the ring means of the clean bins."""
    side = int(decibels.shape[0])
    step = side // _STRIDE
    away = torch.arange(side) % step
    far = torch.minimum(away, step - away) >= _AWAY
    clean = (far[:, None] | far[None, :]).to(torch.float64)
    radius = radial_frequency((side, side)).to(torch.float64) * side
    share = radial_average(clean, side)
    rings = share > 0
    at, level = ((radial_average(v * clean, side) / share)[rings] for v in (radius, decibels))
    slope = (level[-1] - level[-1 - side // 8]) / (at[-1] - at[-1 - side // 8])
    corner = radius.max()
    at = torch.cat([at, corner[None]])
    level = torch.cat([level, (level[-1] + slope * (corner - at[-2]))[None]])
    return decibels - torch.from_numpy(np.interp(radius.numpy(), at.numpy(), level.numpy()))
