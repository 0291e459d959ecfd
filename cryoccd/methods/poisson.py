"""Shot noise at a stated SNR, the baseline of the CryoGEM and CryoCCD tables.

The papers give no formula; here the counts are those of the physical intensity (background 1), so
the noise is what a perfect counting detector shows at the exposure that gives this SNR.
"""

import torch
from torch import Tensor

from cryoccd.imaging.analytic_noise import poisson_noise
from cryoccd.methods.snr import AtSignalToNoise


class Poisson(AtSignalToNoise):
    """y = Poisson(k I) / k with k such that the noise variance is Var(clean) / snr."""

    def noisy(self, intensity: Tensor, variance: float, generator: torch.Generator) -> Tensor:
        """Draw the counts."""
        return poisson_noise(intensity, variance, generator)
