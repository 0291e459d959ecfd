r"""Steps of the stochastic DDIM between any two levels (Song et al. 2021, arXiv:2010.02502).

    x_s = √ᾱ_s x̂_0 + √(1 − ᾱ_s − σ²) n̂ + σ n,   σ = η √[(1 − ᾱ_s)/(1 − ᾱ_t)] √[1 − ᾱ_t/ᾱ_s]

from level t to s < t (eq. 12 and 16). With the true x_0 in the place of x̂_0 this draws from
q(x_s | x_t, x_0) (eq. 7). η = 1 is the ancestral sampling of DDPM.
"""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor

from cryoccd.diffusion.schedule import NoiseSchedule

Predictor = Callable[[Tensor, Tensor], Tensor]
"""Noise in x_t (b, c, h, w) at levels t (b,)."""


class StochasticDDIM:
    """The arithmetic of one schedule and one η.

    Args:
        schedule: noise levels of the training.
        eta: η, 0 without noise to 1.
    """

    def __init__(self, schedule: NoiseSchedule, eta: float) -> None:
        self.schedule, self.eta = schedule, eta

    def sd(self, t: int, s: int) -> float:
        """σ of the step from t to s."""
        alpha_t, alpha_s = self._alpha_bar(t), self._alpha_bar(s)
        return self.eta * sqrt((1 - alpha_t / alpha_s) * (1 - alpha_s) / (1 - alpha_t))

    def mean(self, predict: Predictor, x: Tensor, t: int, s: int) -> Tensor:
        """x_s without its noise, from x_t and one prediction."""
        levels = _levels(x, t)
        noise = predict(x, levels)
        return self._towards(self.schedule.clean_of(x, noise, levels), noise, t, s)

    def posterior(self, x: Tensor, clean: Tensor, t: int, s: int, noise: Tensor) -> Tensor:
        """x_s of x_t where the clean image is known, with the given noise of unit variance."""
        alpha_t = self._alpha_bar(t)
        held = (x - sqrt(alpha_t) * clean) / sqrt(1 - alpha_t)
        return self._towards(clean, held, t, s) + self.sd(t, s) * noise

    def clean(self, predict: Predictor, x: Tensor, t: int) -> Tensor:
        """x̂_0 of x_t: the last step."""
        levels = _levels(x, t)
        return self.schedule.clean_of(x, predict(x, levels), levels)

    def noised(self, image: Tensor, t: int, noise: Tensor) -> Tensor:
        """x_t of a clean image."""
        return self.schedule.add_noise(image, noise, _levels(image, t))

    def _towards(self, clean: Tensor, noise: Tensor, t: int, s: int) -> Tensor:
        alpha_s = self._alpha_bar(s)
        return sqrt(alpha_s) * clean + sqrt(1 - alpha_s - self.sd(t, s) ** 2) * noise

    def _alpha_bar(self, t: int) -> float:
        return float(self.schedule.alpha_bar[t])


def kept_levels(start: int, steps: int) -> list[int]:
    """`steps` levels from start − 1 down to 0, evenly spaced; start − 1 alone for one step."""
    if steps == 1:
        return [start - 1]
    return [round(i * (start - 1) / (steps - 1)) for i in range(steps - 1, -1, -1)]


def _levels(image: Tensor, t: int) -> Tensor:
    return torch.full((len(image),), t, device=image.device)
