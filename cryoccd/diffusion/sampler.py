r"""Samples from a noise predictor with the schedulers of diffusers.

    start    x = √ᾱ_{S−1} source + √(1 − ᾱ_{S−1}) n   (SDEdit, Meng et al., arXiv:2108.01073), or n
    then     S − 1 = t_1 > t_2 > … ≥ 0: the scheduler goes from t_i to t_{i+1}, and at last to the
             clean image, by one evaluation of the network a step (Heun: two but for the last)

The scheduler is given the first S betas of the training alone. So it spreads its steps over exactly
the levels below S, and its timesteps are those of the network: cutting the tail off a longer list
of timesteps, the usual way to begin in the middle, makes the number of steps depend on S.

UniPC (Zhao et al., arXiv:2302.04867) corrects each step by the evaluation that the next step needs
anyway, which raises the order from p to p + 1 at no cost. What CryoCCD's code calls so has fixed
multistep coefficients instead of the exponential integrator's, and a corrector that returns the
predicted point at the price of a second evaluation; and it clips.
"""

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.diffusion.scheduler import SchedulerFactory, fit_scheduler
from cryoccd.errors import CryoccdError, UnfitError
from cryoccd.randomness import noise_like

__all__ = ["Sampler", "SchedulerFactory"]

MOST_SIGNAL = 0.01
"""ᾱ of the last level above which pure noise is not what the network saw there."""


class Sampler:
    """Takes images from noise, or from a noised source, to what a network holds for clean.

    Args:
        scheduler: one of `cryoccd.diffusion.scheduler.PROVED`.
        steps: of the scheduler; evaluations of the network, but 2 · steps − 1 for Heun.
        start: S, the number of levels to be undone, steps … T; None for all T.
        pure_noise: begin with noise alone; the source is seen by the network at most.

    Raises:
        CryoccdError: numbers that do not fit together.
    """

    def __init__(
        self,
        scheduler: SchedulerFactory,
        steps: int = 10,
        start: int | None = None,
        pure_noise: bool = False,
    ) -> None:
        if steps < 1:
            raise CryoccdError(f"sampler: steps = {steps}, expected 1 or more")
        if start is not None and start < steps:
            raise CryoccdError(f"sampler: start = {start}, expected {steps} or more, for its steps")
        if pure_noise and start is not None:
            raise CryoccdError(f"sampler: start = {start}, but pure_noise starts at the last level")
        self.scheduler = scheduler
        self.steps = steps
        self.start = start
        self.pure_noise = pure_noise

    def __deepcopy__(self, memo: dict[int, Any]) -> "Sampler":
        """Itself: it has no state, and what the command line makes cannot be copied."""
        return self

    def check(self, schedule: NoiseSchedule) -> None:
        """Refuse what sampling with this schedule would refuse, on one pixel without a network.

        Raises:
            UnfitError: more steps than levels.
            CryoccdError: see `__call__`.
        """
        self(lambda image, t: image, torch.zeros(1, 1, 1, 1), schedule, [torch.Generator()])

    def __call__(
        self,
        predict_noise: Callable[[Tensor, Tensor], Tensor],
        source: Tensor,
        schedule: NoiseSchedule,
        generators: Sequence[torch.Generator],
    ) -> Tensor:
        """Sample one image for each of the source.

        Args:
            predict_noise: (x_t, t) to the noise in x_t (b, c, h, w) = √ᾱ_t x_0 + √(1 − ᾱ_t) n. t is
                (b,) int64; or float32 where the scheduler goes between two levels, as Heun and LMS
                do unless `timestep_spacing: trailing`, and all that have karras, exponential or
                beta sigmas.
            source: (b, c, h, w), of the scale of the network's images.
            schedule: the training's.
            generators: one for each image, on the cpu or the image's device.

        Returns:
            (b, c, h, w), not clipped.

        Raises:
            CryoccdError: the scheduler does not fit the network or the schedule, or a result is not
                finite.
        """
        scheduler, levels = fit_scheduler(
            self.scheduler, schedule.betas[: self._start(schedule)], self.steps
        )
        image = self._first(scheduler, source, generators)
        random: dict[str, Any] = {}
        if "generator" in signature(scheduler.step).parameters:
            random["generator"] = list(generators)
        for timestep, level in zip(scheduler.timesteps, levels, strict=True):
            dtype = torch.int64 if level == int(level) else torch.float32
            t = torch.full((len(image),), level, dtype=dtype, device=image.device)
            predicted = predict_noise(scheduler.scale_model_input(image, timestep), t)
            image = scheduler.step(predicted, timestep, image, **random).prev_sample
        if not bool(image.isfinite().all()):
            raise CryoccdError(
                f"sampler: {type(scheduler).__name__} ended in NaN or infinity; look for them in "
                "what the network predicts, else set `lower_order_final: true`"
            )
        return image

    def _start(self, schedule: NoiseSchedule) -> int:
        if self.pure_noise and schedule.alpha_bar[-1] > MOST_SIGNAL:
            raise CryoccdError(
                f"sampler: pure_noise, but alpha_bar = {schedule.alpha_bar[-1]:.3g} at the last "
                f"level, expected at most {MOST_SIGNAL}; set `pure_noise: false`"
            )
        start = schedule.steps if self.start is None else self.start
        if not self.steps <= start <= schedule.steps:
            raise UnfitError(
                f"sampler: steps = {self.steps}, start = {self.start}, expected steps <= start <= "
                f"{schedule.steps}, the levels of the noise schedule"
            )
        return start

    def _first(
        self, scheduler: Any, source: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """The first state in the scale of the scheduler; image i has the noise of generator i."""
        noise = noise_like(source, generators)
        if self.pure_noise:
            return noise * float(scheduler.init_noise_sigma)
        first: Tensor = scheduler.add_noise(source, noise, scheduler.timesteps[:1])
        return first
