r"""Noise levels of a discrete diffusion (Ho et al., DDPM, arXiv:2006.11239, eq. 4).

    β_t linear from beta_start to beta_end, t = 0 … T − 1;   ᾱ_t = Π_{s ≤ t} (1 − β_s)
    x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) n,   n ~ N(0, 1)
    x̂_0 = (x_t − √(1 − ᾱ_t) n̂) / √ᾱ_t

The betas are not rescaled with T: the thousand steps of DDPM end at ᾱ = 4·10⁻⁵, nothing but noise,
and ten steps of the same betas at ᾱ = 0.90, a lightly noised image.
"""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError, check_within

LEAST_BETA = 1e-5
"""Schedulers hold 1 − β in float32; below this, σ of the first level is off by more than 0.3 %."""
LEAST_ALPHA_BAR = 1e-30
"""Below this ᾱ is lost in float32, and the ratio of noise to signal with it."""


class NoiseSchedule:
    """Linear betas and what follows from them.

    Args:
        steps: T, the number of levels.
        beta_start: variance added by the first step.
        beta_end: variance added by the last step.

    Attributes:
        steps: T.
        betas: (T,) float64 on the cpu.
        alpha_bar: (T,) float64 on the cpu, the share of the signal in the variance.
        shift_dB: by which the levels are moved; weights by level move with them.

    Raises:
        CryoccdError: no steps, betas outside (0, 1) or falling, or levels that float32 cannot hold.
    """

    shift_dB: float = 0.0

    def __init__(self, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        if steps < 1:
            raise CryoccdError(f"noise schedule: steps = {steps}, expected 1 or more")
        check_within("noise schedule: beta_start", beta_start, LEAST_BETA, 0.999, "variance")
        check_within("noise schedule: beta_end", beta_end, beta_start, 0.999, "variance")
        self.steps = steps
        self.betas = torch.linspace(beta_start, beta_end, steps, dtype=torch.float64)
        self.alpha_bar = (1 - self.betas).cumprod(0)
        if self.alpha_bar[-1] < LEAST_ALPHA_BAR:
            raise CryoccdError(
                f"noise schedule: the last of {steps} levels keeps {self.alpha_bar[-1]:.0e} of the "
                f"signal, expected {LEAST_ALPHA_BAR:.0e} or more; fewer steps or a lower beta_end"
            )

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t of images (b, ...), noise of the same shape and levels t (b,) int64."""
        signal, sigma = self._factors(clean, t)
        return (signal * clean + sigma * noise).to(clean)

    def clean_of(self, noised: Tensor, predicted_noise: Tensor, t: Tensor) -> Tensor:
        """x̂_0 of images x_t (b, ...), the noise seen in them and their levels t (b,) int64."""
        signal, sigma = self._factors(noised, t)
        return ((noised - sigma * predicted_noise) / signal).to(noised)

    def _factors(self, image: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise at the image's precision; of half precision, ᾱ would round to 1."""
        dtype = torch.promote_types(image.dtype, torch.float32)
        t = t.to(image.device)
        shape = (-1, *[1] * (image.dim() - 1))  # boxes have an axis more than images
        tables = self.alpha_bar.sqrt(), (1 - self.alpha_bar).sqrt()
        signal, sigma = (table.to(dtype).to(t.device)[t].reshape(shape) for table in tables)
        return signal, sigma
