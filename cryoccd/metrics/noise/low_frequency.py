"""Strength of the slow field of a micrograph: ice gradients, illumination, contamination.

The field is written in cosines that reflect at its borders (DCT-II, orthonormal), in which a
gradient from end to end is one or two waves and does not leak into all others as in a Fourier
series,

    c_ij = sum_yx phi_i(y) phi_j(x) image(y, x),   phi_i(y) = sqrt(2 / h) cos(pi i (y + 1/2) / h),

(phi_0 = sqrt(1 / h)) with the frequency |f_ij| = ((i / 2 h)^2 + (j / 2 w)^2)^(1/2) / pixel size.
The slow field is the part with 0 < |f| <= 1 / cutoff_A; by Parseval its variance over the image is

    v = sum c_ij^2 / (h w).

With v averaged over micrographs, low_frequency_db = 10 log10(v_generated / v_real) = 20 log10 of
the ratio of standard deviations, in units of the scaled MAD of each micrograph: + is a slow field
too strong against the rest, - one that is too weak or missing. The profile is the mean over octaves
below the cut-off of |10 log10| of the ratio of the mean c^2.

Nothing is subtracted for noise. Cosines of different frequency are orthogonal, so none leaks in
from above; what noise and particles themselves have at these frequencies is part of the slow field
(white noise of variance s^2: s^2 x waves / pixels). It is small, keeps the ratio defined, and sets
how negative the figure gets where a gradient is missing. Larger fields hold slower waves: compare
micrographs of the same size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10, nan, sqrt

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.measure import Field, Figure, Measure

_OCTAVES = 8  # below the cut-off; what is slower counts in the last


@dataclass(frozen=True, eq=False)
class SlowWaves:
    """Slow waves of one micrograph.

    Args:
        variance: of the slow field over the image, in squared units of the scaled MAD.
        power: (octaves,) float64 sums of c^2, the octave below the cut-off first.
        waves: (octaves,) how many there are; all 0 where the field is too small for any.
    """

    variance: float
    power: Tensor
    waves: Tensor


@dataclass(frozen=True)
class LowFrequencyField(Measure[SlowWaves]):
    """Error of the slow field.

    Args:
        cutoff_A: wavelength in angstrom above which a wave is slow; about three particle diameters.
    """

    cutoff_A: float = 500.0

    figures = (
        Figure("low_frequency_db", 0.0, "strength of the slow field: + too strong, - too weak"),
        Figure("low_frequency_profile_db", 0.0, "error of its spectrum, mean over octaves"),
    )

    def __post_init__(self) -> None:
        if not self.cutoff_A > 0:
            raise CryoccdError(f"cutoff_A = {self.cutoff_A:g}, expected above 0 A; raise it")

    def describe(self, field: Field) -> SlowWaves:
        """Power of the slow waves of one micrograph."""
        bases = [self._basis(int(side), field.pixel_size_A) for side in field.image.shape]
        waves = bases[0] @ field.image.to(torch.float64) @ bases[1].T
        f_y, f_x = (
            torch.arange(len(basis), dtype=torch.float64) / (2 * basis.shape[1]) for basis in bases
        )
        # in units of the cut-off
        f = torch.hypot(f_y[:, None], f_x[None, :]) * self.cutoff_A / field.pixel_size_A
        slow = (f > 0) & (f <= 1)
        power, octave = waves[slow].square(), (-f[slow].log2()).long().clamp_max(_OCTAVES - 1)
        return SlowWaves(
            float(power.sum()) / field.image.numel(),
            torch.zeros(_OCTAVES, dtype=torch.float64).index_add_(0, octave, power),
            torch.bincount(octave, minlength=_OCTAVES).to(torch.float64),
        )

    def compare(self, real: Sequence[SlowWaves], made: Sequence[SlowWaves]) -> dict[str, float]:
        """Both figures; fields too small for a slow wave are left out, NaN where all are."""
        sides = [[part for part in side if float(part.waves.sum()) > 0] for side in (real, made)]
        if not all(sides):
            return {figure.name: nan for figure in self.figures}
        v_real, v_made = (sum(part.variance for part in side) / len(side) for side in sides)
        density_real, density_made = (_density(side) for side in sides)
        decibels = 10 * (density_made / density_real).log10()
        common = decibels.isfinite()  # octaves that both sides have
        return {
            "low_frequency_db": 10 * log10(v_made / v_real) if min(v_real, v_made) > 0 else nan,
            "low_frequency_profile_db": float(decibels[common].abs().mean()),
        }

    def _basis(self, side_px: int, pixel_size_A: float) -> Tensor:
        """(waves, side_px) cosines up to the cut-off, the constant first."""
        count = min(int(2 * side_px * pixel_size_A / self.cutoff_A) + 1, side_px)
        wave = torch.arange(count, dtype=torch.float64)[:, None]
        place = torch.arange(side_px, dtype=torch.float64)[None, :] + 0.5
        basis = sqrt(2 / side_px) * torch.cos(torch.pi * wave * place / side_px)
        basis[0] = sqrt(1 / side_px)
        return basis


def _density(parts: Sequence[SlowWaves]) -> Tensor:
    """Mean c^2 in each octave, NaN where there is no wave."""
    power = torch.stack([part.power for part in parts]).sum(0)
    waves = torch.stack([part.waves for part in parts]).sum(0)
    return power / waves.masked_fill(waves == 0, nan)
