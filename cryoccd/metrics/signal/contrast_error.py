"""Contrast of the particles against the noise, generated against real.

    contrast_error_db     = 20 log10 (d' generated / d' real)

with the matched filter of `detectability`, which weighs every frequency by the noise there. The
signal-to-noise ratio weighs none: the power of the mean particle over that of the background,

    SNR = A^2 / (N v) ,   A = mean over particles of <T, y> / |T| ,   v = background variance,

with T the mean real particle less its mean, which takes off the local level, and N the pixels of a
particle, which cancel:

    particle_snr_error_db = 20 log10 (A generated / A real) - 10 log10 (v generated / v real).

A is linear in the image, so noise of any strength averages out of it; recentring, as d' has, would
add what noise there is at the largest score, as much as the signal of faint particles. The price:
picks that are off by a standard deviation of a twentieth of the diameter on either axis blur the
template and lower A of the real side by 0.3 dB against exact labels, by a tenth 1 dB. A difference
of variances inside and outside would not do: at cryo-EM's SNR of some hundredths, thicker ice or
shot noise change them by more than the signal. v is the squared half distance of the 16th and 84th
percentile, as in d'; all of the background counts, slow ice too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10, nan

import numpy as np
import torch
from torch import Tensor

from cryoccd.imaging.background import background_mask
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.dprime import ScoreStatistics, dprime
from cryoccd.metrics.signal.windows import square_offsets, whole_windows

_AT_ONCE = 64  # boxes in memory


@dataclass(frozen=True)
class ContrastStatistics:
    """One micrograph.

    Args:
        scores: of the matched filter.
        n_particles: particles clear of the borders.
        amplitude_sum: of <T, y> / |T| over them.
        n_background: background pixels.
        variance_sum: their variance times their number.
    """

    scores: ScoreStatistics
    n_particles: int
    amplitude_sum: float
    n_background: int
    variance_sum: float


class ContrastError(Measure[ContrastStatistics]):
    """Errors of detectability and of signal-to-noise ratio.

    Args:
        detectability: fitted on the real training split.
    """

    figures = (
        Figure("contrast_error_db", 0.0, "detectability d' of the particles against real"),
        Figure("particle_snr_error_db", 0.0, "power of the mean particle over the background's"),
    )

    def __init__(self, detectability: Detectability) -> None:
        self.detectability = detectability
        level_free = detectability.template - detectability.template.mean()
        self._mean_particle = (level_free / level_free.norm()).flatten()

    def lacks(self, field: Field) -> str:
        """Picks."""
        return "picks" if field.centres_px is None else ""

    def describe(self, field: Field) -> ContrastStatistics:
        """Scores, amplitudes and background variance."""
        assert field.centres_px is not None  # else it lacks them
        image, centres = normalised(field.image), field.centres_px
        scores = self.detectability.statistics([image], [centres])[0]
        amplitudes = self._amplitudes(image, centres)
        background = image[background_mask(image, centres, self.detectability.diameter_px)]
        n = len(background)
        variance = 0.0
        if n:
            low, high = np.percentile(background.to(torch.float64).numpy(), (15.8655, 84.1345))
            variance = ((high - low) / 2) ** 2
        return ContrastStatistics(
            scores, len(amplitudes), float(amplitudes.sum()), n, float(n * variance)
        )

    def compare(
        self, real: Sequence[ContrastStatistics], made: Sequence[ContrastStatistics]
    ) -> dict[str, float]:
        """Both errors; NaN where particles do not stand out of the noise on a side."""
        d = [dprime([part.scores for part in side]) if side else nan for side in (real, made)]
        snr = [_relative_snr(side) for side in (real, made)]
        return {"contrast_error_db": 2 * _ratio_db(d), "particle_snr_error_db": _ratio_db(snr)}

    def notes(
        self, real: Sequence[ContrastStatistics], made: Sequence[ContrastStatistics]
    ) -> dict[str, str]:
        """Both d'."""
        d = [dprime([part.scores for part in side]) for side in (real, made)]
        return {"contrast_error_db": f"d' real {d[0]:.3g}, generated {d[1]:.3g}"}

    def _amplitudes(self, image: Tensor, centres_px: Tensor) -> Tensor:
        """(n,) float64 <T, y> / |T| at the particles clear of the borders."""
        shape = (int(image.shape[0]), int(image.shape[1]))
        box = square_offsets(int(self.detectability.template.shape[0]) // 2)
        some = torch.split(centres_px.reshape(-1, 2), _AT_ONCE)
        values = image.flatten()
        boxes = (values[whole_windows(shape, centres, box)] for centres in some)
        return torch.cat([part.to(torch.float64) @ self._mean_particle for part in boxes])


def _relative_snr(parts: Sequence[ContrastStatistics]) -> float:
    """N times the signal-to-noise ratio; NaN where the particles do not stand out."""
    n = sum(part.n_particles for part in parts)
    amplitude = sum(part.amplitude_sum for part in parts)
    n_background = sum(part.n_background for part in parts)
    variance = sum(part.variance_sum for part in parts)
    if not (amplitude > 0 and variance > 0):
        return nan
    return (amplitude / n) ** 2 / (variance / n_background)


def _ratio_db(values: Sequence[float]) -> float:
    """10 log10 of the second over the first, NaN unless both are above 0."""
    real, made = values
    return 10 * log10(made / real) if real > 0 and made > 0 else nan
