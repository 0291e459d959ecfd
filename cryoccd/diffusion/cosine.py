r"""Cosine noise levels (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 17).

    ᾱ_t = f(t + 1) / f(0),   f(i) = cos²[ π/2 (i/T + s) / (1 + s) ],   β_t = 1 − ᾱ_t / ᾱ_{t−1}

with t = 0 … T − 1 and no β above max_beta. Half of the levels keep more signal than noise, against
a quarter of the linear ones; these are spent on boxes that are noise for the eye.

Neighbouring voxels of a filtered box tell of one another, so that it is still seen where an image
of unrelated pixels is lost: averaged over what is smooth, noise is weaker. `shift_dB` moves all
levels by as much (Hoogeboom, Heek and Salimans 2023, arXiv:2301.11093, section 3.1), SNR_t to
SNR_t 10^(shift/10); -10 log10 of the number of voxels that a detail fills is a guess.

The last level keeps ᾱ = 2·10⁻⁹ for T = 1000, not zero: at zero a noise predictor knows nothing of
the clean image, and its schedulers divide by √ᾱ.
"""

from math import log

import torch

from cryoccd.diffusion.schedule import LEAST_BETA, NoiseSchedule
from cryoccd.errors import CryoccdError, check_within


class CosineSchedule(NoiseSchedule):
    """Betas of a signal that falls as a squared cosine.

    Args:
        steps: T, the number of levels.
        offset: s, which keeps the first betas from vanishing.
        max_beta: largest variance added by a step.
        shift_dB: of the signal over the noise at every level; below 0 is more noise.

    Raises:
        CryoccdError: no steps, or betas outside of what float32 can hold.
    """

    def __init__(
        self,
        steps: int = 1000,
        offset: float = 0.008,
        max_beta: float = 0.999,
        shift_dB: float = 0.0,
    ) -> None:
        if steps < 1:
            raise CryoccdError(f"noise schedule: steps = {steps}, expected 1 or more")
        check_within("noise schedule: offset", offset, 0.0, 0.5, "share of T")
        check_within("noise schedule: max_beta", max_beta, LEAST_BETA, 0.999, "variance")
        check_within("noise schedule: shift_dB", shift_dB, -40.0, 40.0, "dB")
        place = (torch.arange(steps + 1, dtype=torch.float64) / steps + offset) / (1 + offset)
        signal = (place * torch.pi / 2).cos().square()
        self.steps = steps
        betas = (1 - signal[1:] / signal[:-1]).clamp(max=max_beta)
        log_snr = (1 - betas).cumprod(0).logit() + shift_dB * log(10) / 10
        kept = torch.cat([torch.ones(1, dtype=torch.float64), log_snr.sigmoid()])
        self.betas = 1 - kept[1:] / kept[:-1]
        self.alpha_bar = kept[1:]
        self.shift_dB = shift_dB
        if self.betas[0] < LEAST_BETA:
            raise CryoccdError(
                f"noise schedule: the first of {steps} betas is {self.betas[0]:.1e}, expected "
                f"{LEAST_BETA:.0e} or more; fewer steps, a larger offset or a lower shift_dB"
            )
