"""How much more or otherwise the power depends on direction than it does in real micrographs.

The power of one micrograph is averaged over each ring within eight sectors of direction, the first
about the x axis (opposite directions are one), and taken in decibels after the mean of its ring is
removed: a vector a of rings x sectors for a real, b for a generated micrograph. The figure is the
rms difference of their means over rings and sectors. The squared distance of two finite means is
too large by their variance; pairs of different micrographs alone are free of that:

    U = mean_(i != i') a_i . a_i' + mean_(j != j') b_j . b_j' - 2 mean_(i, j) a_i . b_j ,

the unbiased squared MMD of Gretton et al. 2012 (J. Mach. Learn. Res. 13, eq. 3) with the linear
kernel. Its expectation is exactly 0 where both sides are draws of one process, isotropic or not.
The figure is the square root of |U| over the number of rings and sectors, with the sign of U: about
0 to either side then (0.1 dB for eight micrographs of 256 px a side). A difference of c cos 2 theta
dB at all frequencies reads c / sqrt 2 x sin(pi/8) / (pi/8) = 0.689 c.

Directions that change from one micrograph to the next, as those of astigmatism and drift, average
out: what is seen is the direction that a side has in common.
"""

from collections.abc import Sequence
from math import copysign, nan, sqrt
from typing import ClassVar

import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid, radial_average
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.spectral.areas import Area, area_lacks, area_mask
from cryoccd.metrics.spectral.spectrum import FIRST_RING, LAST_RING
from cryoccd.metrics.spectral.tile_power import tile_power

_SECTORS = 8


class Anisotropy(Measure[Tensor]):
    """psd_anisotropy_db; NaN with fewer than two micrographs a side that have the area.

    Args:
        area: "background", or "whole" where there are no picks.
        tile_px: side of the tiles, one for all micrographs and at most the smallest side of any.
    """

    fewest: ClassVar[int] = 2

    def __init__(self, area: Area = "background", tile_px: int = 128) -> None:
        self.area: Area = area
        self.tile_px = tile_px
        what = f"direction of the power that real micrographs do not have, {area}, rms dB"
        self.figures = (Figure("psd_anisotropy_db", 0.0, what),)

    def lacks(self, field: Field) -> str:
        """Picks and the particle diameter, for all areas but the whole."""
        return area_lacks(field, self.area)

    def describe(self, field: Field) -> Tensor:
        """(sectors, rings) float64 dB about the mean of each ring; NaN where the area is too small.

        Raises:
            CryoccdError: the tile does not fit, or what the area needs is missing.
        """
        power = tile_power(field.image, area_mask(field, self.area), self.tile_px)
        sectors = _sectors(self.tile_px)
        rings = slice(FIRST_RING, int(LAST_RING * self.tile_px / 2) + 1)
        part, share = radial_average(power * sectors), radial_average(sectors)
        decibels = 10 * (part[:, rings] / share[:, rings]).log10()
        return decibels - decibels.mean(0)

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """The root of U, with its sign."""
        a, b = (torch.stack(list(side)).flatten(1) for side in (real, made))
        a, b = (side[side.isfinite().all(1)] for side in (a, b))
        value = nan
        if min(len(a), len(b)) >= 2:
            u = _within(a) + _within(b) - 2 * float(a.mean(0) @ b.mean(0))
            value = copysign(sqrt(abs(u) / a.shape[1]), u)
        return {"psd_anisotropy_db": value}


def _within(vectors: Tensor) -> float:
    """Mean inner product of two different vectors."""
    n = len(vectors)
    return float((vectors.sum(0).square().sum() - vectors.square().sum()) / (n * (n - 1)))


def _sectors(tile_px: int) -> Tensor:
    """(sectors, n, n) float64, 1 at the unshifted frequencies of each sector; the origin in one."""
    k_y, k_x = frequency_grid((tile_px, tile_px))
    turn = torch.atan2(k_y.to(torch.float64), k_x.to(torch.float64)) / torch.pi
    index = (turn * _SECTORS).round().long() % _SECTORS
    return torch.nn.functional.one_hot(index, _SECTORS).movedim(-1, 0).to(torch.float64)
