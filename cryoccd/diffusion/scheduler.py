"""A diffusers scheduler on the training's betas, and whether it samples what a network learnt.

A network of ours predicts the noise of an image in variance-preserving scale at a level it was
trained on, and its images have no bounds. Schedulers of diffusers have options that break this
without a word: they clip, change the levels, repeat a timestep (then NaN), begin below the first
level, or step to one level and evaluate at another. Each is refused here.
"""

import warnings
from itertools import pairwise
from typing import Any, NoReturn, Protocol

import numpy as np
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from cryoccd.errors import CryoccdError

PROVED = (
    "DDPMScheduler",
    "DDIMScheduler",
    "UniPCMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "HeunDiscreteScheduler",
    "LMSDiscreteScheduler",
)
"""Those whose levels, scale and results the tests compare with closed forms."""

_EXPECTED: dict[str, tuple[tuple[object, ...], str]] = {
    "prediction_type": (("epsilon",), "the network predicts noise"),
    "clip_sample": ((False,), "values are not cut unasked"),
    "thresholding": ((False,), "values are not cut unasked"),
    "rescale_betas_zero_snr": ((False,), "the network is trained on the levels as they are"),
    "use_flow_sigmas": ((False,), "the network is no flow"),
    "use_dynamic_shifting": ((False,), "the network is no flow"),
    "variance_type": (
        ("fixed_small", "fixed_small_log", "fixed_large", None),
        "the network predicts no variance",
    ),
}
_WHOLE = 1e-3  # float32 sigmas give a level to about 1e-5


class SchedulerFactory(Protocol):
    """A scheduler of diffusers that still lacks its betas; in a configuration its class_path.

    What is named here comes from the noise schedule and is no key of a configuration.
    """

    def __call__(
        self,
        *,
        num_train_timesteps: int,
        trained_betas: list[float],
        beta_start: float = ...,
        beta_end: float = ...,
        beta_schedule: str = ...,
    ) -> SchedulerMixin:
        """A fresh scheduler for these betas."""


def fit_scheduler(factory: SchedulerFactory, betas: Tensor, steps: int) -> tuple[Any, list[float]]:
    """A scheduler at its first step, and the level t at which each evaluation finds the image.

    A scheduler that has sigmas (ratios of noise to signal) may place them between two levels, and
    some then round or cut their own timesteps; the levels given here are interpolated in log σ,
    and whole wherever σ is a trained one.

    Args:
        factory: makes the scheduler.
        betas: (S,) of the levels to be undone, the first of the training.
        steps: at most S.

    Raises:
        CryoccdError: another kind of scheduler, options that the network was not trained for,
            levels that repeat, begin below the first, or that the steps do not meet.
    """
    try:
        with warnings.catch_warnings():
            # diffusers 0.42 hands tensors to numpy.array, which torch 2.15 does in the old way
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            scheduler: Any = factory(num_train_timesteps=len(betas), trained_betas=betas.tolist())
            _check_config(scheduler)
            scheduler.set_timesteps(steps)
    except (ValueError, TypeError, NotImplementedError) as error:  # diffusers' own refusals
        raise CryoccdError(f"sampler: scheduler: {' '.join(str(error).split())}") from error
    levels = _levels(scheduler)
    _check_levels(scheduler, levels, len(betas), steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)  # else it looks the first timestep up by value
    return scheduler, levels


def _check_config(scheduler: Any) -> None:
    if not {kind.__name__ for kind in type(scheduler).__mro__} & set(PROVED):
        _refuse(scheduler, f"not one of {', '.join(PROVED)}")
    for key, (allowed, reason) in _EXPECTED.items():
        given = scheduler.config.get(key, allowed[0])
        if given not in allowed:
            mend = f"`{key}: {str(allowed[0]).lower()}`"
            _refuse(scheduler, f"{key} = {given}, but {reason}; set {mend}")


def _levels(scheduler: Any) -> list[float]:
    if not hasattr(scheduler, "sigmas"):
        return [float(t) for t in scheduler.timesteps]
    alpha_bar = scheduler.alphas_cumprod.double()
    trained = ((1 - alpha_bar) / alpha_bar).log() / 2
    taken = scheduler.sigmas[: len(scheduler.timesteps)].double().log()
    levels = np.interp(taken.numpy(), trained.numpy(), np.arange(len(trained)))
    return [round(t) if abs(t - round(t)) < _WHOLE else float(t) for t in levels]


def _check_levels(scheduler: Any, levels: list[float], start: int, steps: int) -> None:
    trailing = "`timestep_spacing: trailing`"
    evaluations = 2 * steps - 1 if scheduler.order == 2 else steps
    visited = levels[:: scheduler.order]  # Heun comes twice to all but the first
    if len(levels) != evaluations or any(a <= b for a, b in pairwise(visited)):
        mend = "other steps" if scheduler.config.timestep_spacing == "trailing" else trailing
        _refuse(scheduler, f"{steps} steps from level {start} repeat a timestep; set {mend}")
    if abs(levels[0] - (start - 1)) > _WHOLE:
        _refuse(scheduler, f"first timestep = {levels[0]:g}, expected {start - 1}; set {trailing}")
    if hasattr(scheduler, "final_alpha_cumprod") and start % steps:
        # DDIM goes down by start // steps, whatever the timesteps it evaluates at
        _refuse(scheduler, f"{steps} steps do not divide {start} levels; set steps that do")


def _refuse(scheduler: Any, reason: str) -> NoReturn:
    raise CryoccdError(f"sampler: {type(scheduler).__name__}: {reason}")
