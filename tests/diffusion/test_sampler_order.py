"""Orders of convergence on a Gaussian, whose probability-flow ODE is solved in closed form.

(x_t − √ᾱ_t μ) / √(ᾱ_t s² + 1 − ᾱ_t) stays what it is at the start. The grid is uniform in log σ and
ends at the first trained level: on the way from there to no noise at all every scheduler falls back
to order 1. final_sigmas_type: sigma_min repeats the last σ, hence n − 1 steps by n evaluations; at
order 3 that idle step divides by 0 in diffusers 0.42.
"""

from functools import partial
from math import log

import pytest
import torch
from denoisers import Denoiser, generators
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from cryoccd.diffusion.sampler import Sampler, SchedulerFactory
from cryoccd.diffusion.schedule import NoiseSchedule

GRID = {
    "use_exponential_sigmas": True,
    "lower_order_final": False,
    "final_sigmas_type": "sigma_min",
}
UNIPC = partial(UniPCMultistepScheduler, **GRID)
UNCORRECTED = partial(UNIPC, disable_corrector=list(range(200)))
DPM = partial(DPMSolverMultistepScheduler, **GRID)
MEAN, SD = 0.3, 0.5


def error(scheduler: SchedulerFactory, evaluations: int) -> float:
    """Largest distance from the exact solution at the first level."""
    schedule = NoiseSchedule()
    denoiser = Denoiser(schedule, MEAN, SD)
    source = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    found = Sampler(scheduler, evaluations)(denoiser, source, schedule, generators(1))
    first, last = schedule.alpha_bar[-1], schedule.alpha_bar[0]
    stretch = ((last * SD**2 + 1 - last) / (first * SD**2 + 1 - first)).sqrt()
    start = denoiser.calls[0][0]
    exact = last.sqrt() * MEAN + stretch * (start - first.sqrt() * MEAN)
    return float((found - exact).abs().max())


@pytest.mark.parametrize(
    ("scheduler", "order"),
    [
        (partial(UNIPC, solver_order=1), 2),  # measured: 2.00
        (partial(UNIPC, solver_order=2), 3),  # 2.96
        (partial(UNCORRECTED, solver_order=1), 1),  # 0.98
        (partial(UNCORRECTED, solver_order=2), 2),  # 1.99
        (partial(DPM, solver_order=1), 1),  # 0.98, and it is DDIM
        (partial(DPM, solver_order=2), 2),  # 1.99
    ],
    ids=["unipc-1", "unipc-2", "unip-1", "unip-2", "dpm++-1", "dpm++-2"],
)
def test_order_on_a_grid_uniform_in_log_snr(scheduler, order):
    coarse, fine = error(scheduler, 41), error(scheduler, 81)
    assert log(coarse / fine) / log(2) == pytest.approx(order, abs=0.1)


def test_order_of_ddim_on_its_own_grid():
    ddim = partial(
        DDIMScheduler, clip_sample=False, set_alpha_to_one=False, timestep_spacing="trailing"
    )
    assert log(error(ddim, 50) / error(ddim, 100)) / log(2) == pytest.approx(1, abs=0.1)
