r"""What a network predicts of x_t = a x_0 + s n, with a = √ᾱ_t and s = √(1 − ᾱ_t), SNR = a²/s².

    x0    target x_0           n̂ = (x_t − a x̂_0) / s
    v     target a n − s x_0   n̂ = s x_t + a v̂       x̂_0 = a x_t − s v̂
          (Salimans and Ho 2022, arXiv:2202.00512, appendix D)

Samplers take the noise, so both are turned into it; a stays above zero at the last level.

Weights of the mean squared error, and what they are of |x_0 − x̂_0|² = s² |v − v̂|²:

    uniform    x0: 1                v: 1                       1 or SNR + 1
    min_snr    x0: min(SNR, γ)      v: min(SNR, γ)/(SNR + 1)   min(SNR, γ), γ = 5
               (Hang et al. 2023, arXiv:2303.09556, section 3.4)

with the SNR over the shift of the schedule. So min_snr is one loss for both. The noisiest levels
weigh SNR in it, next to nothing, and there the class is settled: a network learns its condition
later than with weights of one.
"""

from math import log
from typing import Literal

import torch
from torch import Tensor

from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError

Prediction = Literal["x0", "v"]
Weighting = Literal["uniform", "min_snr"]
GAMMA = 5.0
"""γ of min_snr."""


class Parametrisation:
    """Targets, results and weights of one kind of prediction on one schedule.

    Images are (n, ...) of any number of axes, levels t (n,): int64, or between two levels float,
    where the ratio of noise to signal is interpolated in its logarithm, as schedulers do.

    Args:
        prediction: what the network predicts.
        schedule: noise levels of the training.

    Raises:
        CryoccdError: no such prediction.
    """

    def __init__(self, prediction: Prediction, schedule: NoiseSchedule) -> None:
        if prediction not in ("x0", "v"):
            raise CryoccdError(f"prediction = {prediction!r}, expected x0 or v")
        self.prediction = prediction
        self._log_snr = (schedule.alpha_bar / (1 - schedule.alpha_bar)).log()
        self._shift = schedule.shift_dB * log(10) / 10

    def noised(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t."""
        a, s = self._factors(clean, t)
        return a * clean + s * noise

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What the network is to predict."""
        if self.prediction == "x0":
            return clean
        a, s = self._factors(clean, t)
        return a * noise - s * clean

    def noise_of(self, predicted: Tensor, noised: Tensor, t: Tensor) -> Tensor:
        """n̂ of a prediction."""
        a, s = self._factors(noised, t)
        return (
            (noised - a * predicted) / s if self.prediction == "x0" else s * noised + a * predicted
        )

    def clean_error(self, error: Tensor, t: Tensor) -> Tensor:
        """|x_0 − x̂_0|² (n,) of the squared error (n,) of predictions."""
        return error if self.prediction == "x0" else error * self._noise_share(t).to(error)

    def nearest_level(self, snr_dB: float) -> int:
        """The level whose ratio of signal to noise is nearest, in dB of power."""
        return int((10 / log(10) * self._log_snr - snr_dB).abs().argmin())

    def weight(self, weighting: Weighting, t: Tensor) -> Tensor:
        """(n,) float32 weight of the squared error of predictions.

        Raises:
            CryoccdError: no such weighting.
        """
        if weighting not in ("uniform", "min_snr"):
            raise CryoccdError(f"weighting = {weighting!r}, expected uniform or min_snr")
        if weighting == "uniform":
            return torch.ones(len(t), device=t.device)
        weight = (self._at(t) - self._shift).exp().clamp(max=GAMMA).float()
        return self.clean_error(weight, t)

    def _at(self, t: Tensor) -> Tensor:
        """Logarithm of the SNR (n,), float64."""
        table = self._log_snr.to(t.device)
        below = t.long().clamp(0, len(table) - 1)
        above = (below + 1).clamp(max=len(table) - 1)
        return torch.lerp(table[below], table[above], t.double() - below)

    def _noise_share(self, t: Tensor) -> Tensor:
        """s² (n,)."""
        return torch.sigmoid(-self._at(t))

    def _factors(self, image: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Signal a and noise s, in the shape and the precision of the images."""
        log_snr = self._at(t.to(image.device)).reshape(-1, *[1] * (image.dim() - 1))
        return torch.sigmoid(log_snr).sqrt().to(image), torch.sigmoid(-log_snr).sqrt().to(image)
