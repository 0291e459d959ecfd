"""White Gaussian noise at a stated SNR, the baseline of the CryoGEM and CryoCCD tables."""

import torch
from torch import Tensor

from cryoccd.imaging.analytic_noise import gaussian_noise
from cryoccd.methods.snr import AtSignalToNoise


class Gaussian(AtSignalToNoise):
    """y = I + n, n ~ N(0, Var(clean) / snr)."""

    def noisy(self, intensity: Tensor, variance: float, generator: torch.Generator) -> Tensor:
        """Add the noise."""
        return gaussian_noise(intensity, variance, generator)
