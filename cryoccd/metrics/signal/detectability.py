"""How well particles stand out of the noise: d' of a prewhitened matched filter.

The filter is fixed on real training micrographs: the template T is the rotational average of the
mean particle at the picks, the power S that of the background between them, and the score map

    s(r) = F^-1[ conj(T) Y / S ](r) / (1/N sum |T|^2 / S)^(1/2)

is the likelihood-ratio statistic of a known signal in coloured Gaussian noise (Kay 1998, Detection
Theory, section 5.4): a z-score in the real background, positive for dark particles on light.
The index d' compares the scores of particles and background (`dprime`).

Each location is first recentred on the largest score within a quarter of the diameter (a square
window), particles and background alike, as picks are not exact. Background locations are all pixels
at least 0.75 diameters from every particle, and recentring stays among them: the limit of ever more
random positions, which needs no seed. Locations nearer to the border than half the template are
left out on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.masked_psd import masked_autocorrelation, spectrum_of
from cryoccd.metrics.images import normalised
from cryoccd.metrics.signal.dprime import ScoreStatistics, dprime
from cryoccd.metrics.signal.template import round_template

_CLEARANCE = 0.75  # of the background from any particle, in diameters
_RECENTRE = 0.25  # diameters
_LEAST_POWER = 0.01  # of the mean: an empty band says nothing, whatever the template has there


@dataclass(frozen=True)
class Detectability:
    """A matched filter and its geometry; make it with `fit`.

    Args:
        template: (side, side) mean particle, side odd, background level 0, dark = negative.
        power: (rings,) radial power of the background, ring i at i / (2 (rings - 1)) cycles a px.
        diameter_px: particle diameter in pixels.
        recentre_px: how far a location may move to the largest score.
    """

    template: Tensor
    power: Tensor
    diameter_px: float
    recentre_px: int

    @classmethod
    def fit(
        cls, images: Sequence[Tensor], centres_px: Sequence[Tensor], particle_diameter_px: float
    ) -> "Detectability":
        """Template and background power of real training micrographs.

        Args:
            images: (h, w) micrographs on any scale.
            centres_px: (n, 2) picks x, y of each.
            particle_diameter_px: diameter in pixels.

        Raises:
            CryoccdError: no particle clear of the borders, or no background between particles.
        """
        if not 4 <= particle_diameter_px <= min(min(image.shape) for image in images) / 2:
            raise CryoccdError(
                f"particle diameter: {particle_diameter_px:.1f} px, expected 4 px to half of the "
                "micrograph; check the diameter and the pixel size"
            )
        fields = [normalised(image, f"micrograph {i}") for i, image in enumerate(images)]
        template = round_template(fields, centres_px, particle_diameter_px)
        reach = int(template.shape[0]) // 2
        clear = [
            background_mask(x, c, particle_diameter_px)
            for x, c in zip(fields, centres_px, strict=True)
        ]
        autocorrelation = masked_autocorrelation(fields, clear, reach)
        power = radial_average(spectrum_of(autocorrelation, (2 * reach, 2 * reach)))
        power = power.clamp_min(_LEAST_POWER * float(power.mean()))
        recentre = round(_RECENTRE * particle_diameter_px)
        return cls(template, power, particle_diameter_px, recentre)

    def score(self, image: Tensor) -> Tensor:
        """(h, w) float32 score map of an (h, w) micrograph on any scale."""
        field = normalised(image).to(torch.float64)
        side = int(self.template.shape[0])
        height, width = _shape(field)
        # room, so that no border scores the opposite one, up to lengths that transform fast
        shape = _fast(height + side), _fast(width + side)
        spectrum = torch.fft.rfft2(self.template.to(torch.float64), s=shape)
        weighted = spectrum.conj() / self._power_at(shape)
        weighted[0, 0] = 0  # the level of a micrograph says nothing
        gain = torch.fft.irfft2(weighted * spectrum, s=shape)[0, 0].sqrt()
        scores = torch.fft.irfft2(weighted * torch.fft.rfft2(field, s=shape), s=shape) / gain
        half = side // 2
        at_centre: Tensor = scores.roll((half, half), (0, 1))[:height, :width]
        return at_centre.to(torch.float32)

    def statistics(
        self, images: Sequence[Tensor], centres_px: Sequence[Tensor]
    ) -> list[ScoreStatistics]:
        """Recentred scores of each micrograph, at its particles and at its background."""
        return [self._statistics(x, c) for x, c in zip(images, centres_px, strict=True)]

    def dprime(self, images: Sequence[Tensor], centres_px: Sequence[Tensor]) -> float:
        """The index d' over micrographs; NaN without particles or background."""
        return dprime(self.statistics(images, centres_px))

    def _statistics(self, image: Tensor, centres_px: Tensor) -> ScoreStatistics:
        scores, shape = self.score(image), _shape(image)
        clear = ~disc_mask(shape, centres_px, _CLEARANCE * self.diameter_px)
        elsewhere = _largest_within(scores.masked_fill(~clear, -inf), self.recentre_px)
        inner = torch.zeros(shape, dtype=torch.bool)
        margin = int(self.template.shape[0]) // 2
        inner[margin : shape[0] - margin, margin : shape[1] - margin] = True
        background = elsewhere[inner & clear].to(torch.float64)
        x, y = centres_px.round().long().reshape(-1, 2).unbind(1)
        within = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
        x, y = x[within], y[within]
        at_best = _largest_within(scores, self.recentre_px).to(torch.float64)
        particles = at_best[y, x][inner[y, x]]
        return ScoreStatistics.of(particles, background)

    def _power_at(self, shape: tuple[int, int]) -> Tensor:
        """Background power at the frequencies of an rfft2, linear between rings."""
        rings = len(self.power) - 1
        at = (radial_frequency(shape, rfft=True).to(torch.float64) * 2 * rings).clamp_max(rings)
        below = at.floor().long().clamp_max(rings - 1)
        power: Tensor = torch.lerp(self.power[below], self.power[below + 1], at - below)
        return power


def _fast(length: int) -> int:
    return int(next_fast_len(length, real=True))


def _shape(image: Tensor) -> tuple[int, int]:
    return int(image.shape[0]), int(image.shape[1])


def _largest_within(scores: Tensor, radius_px: int) -> Tensor:
    """Largest score in the square of half-width radius_px about each pixel."""
    side = 2 * radius_px + 1
    rows = torch.nn.functional.max_pool2d(scores[None], (side, 1), 1, (radius_px, 0))
    return torch.nn.functional.max_pool2d(rows, (1, side), 1, (0, radius_px))[0]
