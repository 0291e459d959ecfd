"""White Gaussian noise whose strength is that of the real data (matched.py)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.methods.matched import Background, MatchedContrast


class GaussianFitted(MatchedContrast):
    """y = gain * clean + white noise of the variance of real background."""

    noise_sd: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("noise_sd", torch.tensor(1.0))

    def fit_noise(self, background: Sequence[Background]) -> None:
        """Measure the standard deviation of the background."""
        variances = torch.stack([item.image[item.mask].var() for item in background])
        self.noise_sd.copy_(variances.nanmean().sqrt())

    def noise(self, shape_px: tuple[int, int], generator: torch.Generator) -> Tensor:
        """One field of noise."""
        return torch.randn(shape_px, generator=generator) * float(self.noise_sd)
