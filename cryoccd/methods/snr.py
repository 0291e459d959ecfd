"""What the noise models of a stated signal-to-noise ratio share: strength from the clean images."""

import math
from abc import abstractmethod

import torch
from torch import Tensor

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator


class AtSignalToNoise(Translator):
    """White noise of variance Var(clean) / snr.

    The signal's variance is the mean over the simulated training micrographs, so the noise level
    is one property of the set, and a micrograph without particles has noise too.

    Args:
        snr: ratio of the variances of signal and noise; the papers use 0.1.
    """

    signal_variance: Tensor

    def __init__(self, snr: float = 0.1) -> None:
        super().__init__()
        if not snr > 0:
            raise CryoccdError(f"snr = {snr}, expected a ratio of variances above 0, such as 0.1")
        self.snr = snr
        self.register_buffer("signal_variance", torch.tensor(0.0))

    def calibrate(self, datamodule: CryoDataModule) -> None:
        """Measure the variance of the noise-free training micrographs."""
        variances = [item.clean.var() for item in datamodule.train_simulated()]
        self.signal_variance.copy_(torch.stack(variances).mean())
        if not float(self.signal_variance) > 0:
            raise CryoccdError("simulated side: no micrograph has a particle, so SNR is undefined")

    def choices(self) -> dict[str, float | int | str]:
        """SNR and signal strength."""
        return {"snr": self.snr, "signal_sd": float(self.signal_variance) ** 0.5}

    def translate(
        self, clean: Tensor, mask: Tensor, ice: Tensor, style: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Noisy images at unit total variance."""
        signal = float(self.signal_variance)
        variance = signal / self.snr
        noisy = self.noisy(1 + clean, variance, generator)
        return (noisy - 1) / math.sqrt(signal + variance)

    @abstractmethod
    def noisy(self, intensity: Tensor, variance: float, generator: torch.Generator) -> Tensor:
        """Intensity (near 1) with white noise of a variance."""
