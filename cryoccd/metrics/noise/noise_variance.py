"""How the noise level varies over a micrograph: with the signal, and from place to place.

The image less its Gaussian average (sigma a quarter of a block) is cut into blocks. Of each block
with enough background come the mean m of the image and the logarithm v of the mean square of the
rest, and of both every micrograph's own mean is removed. Over all blocks

    slope = sum m v / sum m^2,   correlation = sum m v / (sum m^2 sum v^2)^(1/2):

shot noise in counts of mean N and standard deviation N^(1/2) has a slope near N^(-1/2) in units of
the scaled MAD, additive noise has 0. Noise in m flattens the slope, on both sides alike.

The spread of v is not that of the noise level: v has sampling spread of its own, which depends on
how pixels are correlated. So each block is split like a checkerboard in two halves a, b of two
quarters each, a guard apart, whose sampling errors are independent, and the spread is that of what
they share,

    spread = (10 / ln 10) (max(0, sum (v_a - mean v_a) (v_b - mean v_b) / degrees of freedom))^(1/2)

with degrees of freedom = blocks - micrographs: a standard deviation of the noise level in decibels.
As E v_a v_b = E v^2 of the level alone, it tends to 0 for stationary noise, Gaussian or not, whose
correlation is short of the guard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, nan, sqrt

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.noise.between_particles import background_of, fine_part, lacks_background

_ENOUGH = 0.5  # of each half of a block must be background
_LEAST_FREEDOM = 8  # blocks of a side, less one a micrograph, below which nothing is defined


@dataclass(frozen=True)
class BlockMoments:
    """Sums over the blocks of one micrograph, about its means: they add up over micrographs.

    Args:
        freedom: blocks less one; 0 where there are fewer than two.
        mean_mean: sum of m^2.
        log_log: sum of v^2.
        mean_log: sum of m v.
        half_half: sum of v_a v_b.
    """

    freedom: int
    mean_mean: float
    log_log: float
    mean_log: float
    half_half: float


@dataclass(frozen=True)
class NoiseVariance(Measure[BlockMoments]):
    """Errors of the dependence of the noise on the signal, and of its spread over the image.

    Args:
        block_px: side of the blocks, a multiple of 16.
        between_particles: only background counts, so picks are needed; False takes all pixels,
            with the particles in the noise.
    """

    block_px: int = 32
    between_particles: bool = True

    figures = (
        Figure(
            "variance_slope_error",
            0.0,
            "d ln(noise variance) / d(local mean in scaled MAD), generated minus real",
        ),
        Figure(
            "variance_correlation_error",
            0.0,
            "correlation of ln(noise variance) and local mean, generated minus real",
        ),
        Figure(
            "variance_map_db",
            0.0,
            "spread of the noise level over the image in dB: + too uneven, - too uniform",
        ),
    )

    def __post_init__(self) -> None:
        if self.block_px < 16 or self.block_px % 16:
            raise CryoccdError(
                f"block_px = {self.block_px}, expected a multiple of 16; choose 32 or 48"
            )

    def lacks(self, field: Field) -> str:
        """Picks or the particle diameter, where they are needed."""
        return lacks_background(field) if self.between_particles else ""

    def describe(self, field: Field) -> BlockMoments:
        """Sums over the blocks of one micrograph."""
        image, side = field.image, self.block_px
        if min(image.shape) < side:
            return BlockMoments(0, 0.0, 0.0, 0.0, 0.0)
        mask = background_of(field) if self.between_particles else torch.ones_like(image).bool()
        rest = fine_part(image, mask, side / 4)
        parts = self._parts()
        weight, level, power = (
            torch.einsum("byx,pyx->bp", _blocks(x.to(torch.float64), side), parts)
            for x in (mask, image * mask, rest.square() * mask)
        )
        area = parts.sum((-2, -1))
        # a block of one value, such as an empty margin, has no noise to measure
        least, most = (
            _blocks(image.masked_fill(~mask, sign * inf), side).flatten(1) for sign in (1, -1)
        )
        kept = (weight >= _ENOUGH * area).all(1) & (most.amax(1) > least.amin(1))
        if int(kept.sum()) < 2:
            return BlockMoments(0, 0.0, 0.0, 0.0, 0.0)
        mean = level[kept, 0] / weight[kept, 0]
        logs = (power[kept] / weight[kept]).log()
        mean, (v, a, b) = mean - mean.mean(), (logs - logs.mean(0)).unbind(1)
        sums = [float(x.sum()) for x in (mean * mean, v * v, mean * v, a * b)]
        return BlockMoments(len(mean) - 1, *sums)

    def compare(
        self, real: Sequence[BlockMoments], made: Sequence[BlockMoments]
    ) -> dict[str, float]:
        """Every error; NaN with too few blocks on a side."""
        found = zip(_relation(real), _relation(made), strict=True)
        names = (figure.name for figure in self.figures)
        return {name: m - r for name, (r, m) in zip(names, found, strict=True)}

    def _parts(self) -> Tensor:
        """(3, side, side) of a block: all of it, and its two halves, 1 where a pixel belongs."""
        guard = self.block_px // 16
        place = torch.arange(self.block_px)
        quarter = place // (self.block_px // 2)
        within = place % (self.block_px // 2)
        clear = (within >= guard) & (within < self.block_px // 2 - guard)
        inner = clear[:, None] & clear[None, :]
        same = quarter[:, None] == quarter[None, :]
        parts = torch.stack([torch.ones_like(inner), inner & same, inner & ~same])
        return parts.to(torch.float64)


def _relation(parts: Sequence[BlockMoments]) -> tuple[float, float, float]:
    """Slope, correlation and spread in decibels of one side."""
    freedom = sum(p.freedom for p in parts)
    mean_mean, log_log = sum(p.mean_mean for p in parts), sum(p.log_log for p in parts)
    if freedom < _LEAST_FREEDOM or min(mean_mean, log_log) <= 0:
        return nan, nan, nan
    mean_log = sum(p.mean_log for p in parts)
    shared = max(0.0, sum(p.half_half for p in parts) / freedom)
    correlation = mean_log / sqrt(mean_mean * log_log)
    return mean_log / mean_mean, correlation, 10 / log(10) * sqrt(shared)


def _blocks(field: Tensor, side: int) -> Tensor:
    """(blocks, side, side) that do not overlap; what is left at the far borders is left out."""
    return field.unfold(0, side, side).unfold(1, side, side).flatten(0, 1)
