"""Shot noise and Gaussian read-out noise at a stated SNR ("Poi-Gau" in the papers' figures)."""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.analytic_noise import gaussian_noise, poisson_noise
from cryoccd.methods.snr import AtSignalToNoise


class PoissonGaussian(AtSignalToNoise):
    """Poisson counts with a share of the noise variance, then Gaussian noise with the rest.

    Args:
        snr: ratio of the variances of signal and noise.
        poisson_share: share of the noise variance that is shot noise, in (0, 1).
    """

    def __init__(self, snr: float = 0.1, poisson_share: float = 0.5) -> None:
        super().__init__(snr)
        if not 0 < poisson_share < 1:
            raise CryoccdError(f"poisson_share = {poisson_share}, expected above 0 and below 1")
        self.poisson_share = poisson_share

    def noisy(self, intensity: Tensor, variance: float, generator: torch.Generator) -> Tensor:
        """Draw the counts, then add the read-out noise."""
        counts = poisson_noise(intensity, variance * self.poisson_share, generator)
        return gaussian_noise(counts, variance * (1 - self.poisson_share), generator)
