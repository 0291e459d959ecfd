"""Exact noise predictors of laws simple enough, and the schedulers that sample with them."""

from functools import partial

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_heun_discrete import HeunDiscreteScheduler
from diffusers.schedulers.scheduling_lms_discrete import LMSDiscreteScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from torch import Tensor

from cryoccd.diffusion.schedule import NoiseSchedule

TRAILING = {"timestep_spacing": "trailing"}
SCHEDULERS = {
    "ddpm": partial(DDPMScheduler, clip_sample=False, **TRAILING),
    "ddim": partial(DDIMScheduler, clip_sample=False, **TRAILING),
    "unipc": partial(UniPCMultistepScheduler, solver_order=2, **TRAILING),
    "dpm++": partial(DPMSolverMultistepScheduler, solver_order=2, **TRAILING),
    "dpm++sde": partial(DPMSolverMultistepScheduler, algorithm_type="sde-dpmsolver++", **TRAILING),
    "heun": partial(HeunDiscreteScheduler, **TRAILING),
    "lms": partial(LMSDiscreteScheduler, **TRAILING),
}
STOCHASTIC = {"ddpm", "dpm++sde"}


class Denoiser:
    """The noise expected in x_t of images N(mean, sd²), independent pixels; keeps its calls."""

    def __init__(self, schedule: NoiseSchedule, mean: Tensor | float, sd: float) -> None:
        ratio = (1 - schedule.alpha_bar) / schedule.alpha_bar
        self.log_sigma = ratio.log().numpy() / 2
        self.mean, self.sd = mean, sd
        self.calls: list[tuple[Tensor, Tensor]] = []

    def alpha_bar(self, t: Tensor) -> Tensor:
        """ᾱ (b, 1, 1, 1) float64 of whole levels, and of those between them."""
        known = np.arange(len(self.log_sigma))
        log_sigma = torch.from_numpy(np.interp(t.double().numpy(), known, self.log_sigma))
        return torch.sigmoid(-2 * log_sigma)[:, None, None, None]

    def __call__(self, image: Tensor, t: Tensor) -> Tensor:
        self.calls.append((image.clone(), t.clone()))
        alpha_bar = self.alpha_bar(t)
        variance = alpha_bar * self.sd**2 + 1 - alpha_bar
        noise = (1 - alpha_bar).sqrt() * (image - alpha_bar.sqrt() * self.mean) / variance
        return noise.to(image)


def generators(count: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + index) for index in range(count)]
