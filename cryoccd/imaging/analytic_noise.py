"""White noise of the papers' baselines, each of a given variance.

The noise strength is stated as a variance, so that the three differ in their statistics alone:
Gaussian; Poisson counts of the intensity; and a share of each.
"""

import torch
from torch import Tensor


def gaussian_noise(intensity: Tensor, variance: float, generator: torch.Generator) -> Tensor:
    """Intensity plus white Gaussian noise."""
    noise = torch.randn(intensity.shape, generator=generator, device=generator.device)
    noisy: Tensor = intensity + noise.to(intensity) * float(variance**0.5)
    return noisy


def poisson_noise(intensity: Tensor, variance: float, generator: torch.Generator) -> Tensor:
    """Counts over exposure: y = Poisson(k I) / k, k = mean(I) / variance, so Var(y | I) = I / k.

    Args:
        intensity: non-negative fraction of the incident beam, near 1.
        variance: variance of y at the mean intensity.
        generator: source of randomness.
    """
    exposure = float(intensity.mean()) / variance
    expected = (intensity.clamp_min(0) * exposure).to(generator.device)
    return torch.poisson(expected, generator=generator).to(intensity) / exposure
