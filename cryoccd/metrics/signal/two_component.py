"""Particles against background without picks: two Gaussians over the maxima of a filter's scores.

The filter's template is the rotational average of the simulated particle, its whitening the power
of the whole micrographs. A maximum counts as a particle where the upper component is the likelier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cryoccd.fourier import radial_average
from cryoccd.imaging.masked_psd import masked_autocorrelation, spectrum_of
from cryoccd.metrics.images import normalised
from cryoccd.metrics.signal.detectability import Detectability


@dataclass(frozen=True)
class TwoComponents:
    """Mean and standard deviation of the low and the high component, and the high one's share."""

    low_mean: float
    low_sd: float
    high_mean: float
    high_sd: float
    high_share: float

    @property
    def separation(self) -> float:
        """Distance of the means in standard deviations of the low component."""
        return (self.high_mean - self.low_mean) / self.low_sd

    def is_high(self, values: Tensor) -> Tensor:
        """Where the high component is the likelier, and the value above the low mean."""
        x = values.to(torch.float64)
        high = _log_density(x, self.high_share, self.high_mean, self.high_sd)
        low = _log_density(x, 1 - self.high_share, self.low_mean, self.low_sd)
        return (high > low) & (x > self.low_mean)


@dataclass(frozen=True)
class BlindFinder:
    """Finds particles without picks.

    Args:
        filter: matched filter with the simulated template.
        components: of the maxima in the real training micrographs.
        radius_px: half a particle diameter; of two maxima nearer than that the larger counts.
    """

    filter: Detectability
    components: TwoComponents
    radius_px: int

    @classmethod
    def fit(
        cls,
        images: Sequence[Tensor],
        clean: Sequence[Tensor],
        centres_px: Sequence[Tensor],
        diameter_px: float,
    ) -> "BlindFinder":
        """Fit filter and components.

        Args:
            images: normalised real micrographs.
            clean: simulated contrast, for the template.
            centres_px: true centres of the simulated particles.
            diameter_px: particle diameter in pixels.
        """
        # a noise-free field has no background level to normalise by; a little noise gives it one
        generator = torch.Generator().manual_seed(0)
        veiled = [c + 0.2 * c.std() * torch.randn(c.shape, generator=generator) for c in clean]
        fitted = Detectability.fit(veiled, centres_px, diameter_px)
        reach = len(fitted.template) // 2
        whole = [torch.ones_like(image, dtype=torch.bool) for image in images]
        correlation = masked_autocorrelation(images, whole, reach)
        power = radial_average(spectrum_of(correlation, (2 * reach, 2 * reach)))
        blind = replace(fitted, power=power.clamp_min(0.01 * float(power.mean())))
        radius_px = max(1, round(diameter_px / 2))
        maxima = [local_maxima(blind.score(normalised(i)), radius_px)[0] for i in images]
        return cls(blind, fit_two_components(torch.cat(maxima)), radius_px)

    def find(self, image: Tensor) -> Tensor:
        """(n, 2) centres x, y of what looks like a particle in an (h, w) micrograph."""
        values, centres_px = local_maxima(self.filter.score(normalised(image)), self.radius_px)
        return centres_px[self.components.is_high(values)]

    @property
    def real(self) -> float:
        """Separation in the real training micrographs."""
        return self.components.separation

    def separation(self, images: Sequence[Tensor]) -> float:
        """Separation of the two components of the maxima in other micrographs."""
        maxima = [local_maxima(self.filter.score(normalised(i)), self.radius_px)[0] for i in images]
        return fit_two_components(torch.cat(maxima)).separation


def local_maxima(score: Tensor, radius_px: int) -> tuple[Tensor, Tensor]:
    """Values (n,) and positions (n, 2) x, y that are the largest within a square around them."""
    window = 2 * radius_px + 1
    largest = torch.nn.functional.max_pool2d(score[None, None], window, 1, radius_px)[0, 0]
    y, x = (score == largest).nonzero(as_tuple=True)
    return score[y, x], torch.stack([x, y], 1).to(torch.float64)


def fit_two_components(values: Tensor, iterations: int = 200) -> TwoComponents:
    """Expectation-maximisation from a split at the 70th percentile (Dempster et al. 1977)."""
    x = values.to(torch.float64)
    share_high = (x > x.quantile(0.7)).to(torch.float64)
    for _ in range(iterations):
        weights = torch.stack([1 - share_high, share_high])
        total = weights.sum(1)
        means = (weights * x).sum(1) / total
        spread = (weights * (x - means[:, None]) ** 2).sum(1) / total
        sds = spread.sqrt().clamp_min(1e-3 * float(x.std()))
        densities = [
            _log_density(x, float(total[i] / len(x)), float(means[i]), float(sds[i]))
            for i in (0, 1)
        ]
        share_high = torch.softmax(torch.stack(densities), 0)[1]
    order = [0, 1] if means[0] < means[1] else [1, 0]
    (m0, m1), (s0, s1) = means[order].tolist(), sds[order].tolist()
    return TwoComponents(m0, s0, m1, s1, float(total[order[1]] / len(x)))


def _log_density(x: Tensor, share: float, mean: float, sd: float) -> Tensor:
    """Log of a weighted Gaussian, but for the common constant."""
    log_share = torch.tensor(share, dtype=torch.float64).log()
    return log_share - torch.tensor(sd).log() - (x - mean) ** 2 / (2 * sd**2)
