from functools import partial

import pytest
import torch
from denoisers import SCHEDULERS, generators
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from jsonargparse import ArgumentParser

from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.diffusion.scheduler import fit_scheduler
from cryoccd.errors import CryoccdError
from cryoccd.io.refusal import one_line

UNIPC = SCHEDULERS["unipc"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"steps": 0}, "steps = 0"),
        ({"steps": 10, "start": 9}, "start = 9, expected 10"),
        ({"start": 20, "pure_noise": True}, "start = 20, but pure_noise"),
    ],
)
def test_numbers_that_do_not_fit_together(arguments, field):
    with pytest.raises(CryoccdError, match=field):
        Sampler(UNIPC, **arguments)


def unipc(**options):
    return partial(UNIPC, **options)


def ddim(**options):
    return partial(SCHEDULERS["ddim"], **options)


REFUSED = [
    (Sampler(UNIPC, 11), 10, "steps = 11, start = None, expected .* <= 10"),
    (Sampler(UNIPC, 5, start=11), 10, "start = 11, expected .* <= 10"),
    (Sampler(UNIPC, 5, pure_noise=True), 10, "alpha_bar = 0.904 .* `pure_noise: false`"),
    (Sampler(DDIMScheduler), 1000, "`clip_sample: false`"),
    (Sampler(DDPMScheduler), 1000, "`clip_sample: false`"),
    (Sampler(unipc(thresholding=True)), 1000, "`thresholding: false`"),
    (Sampler(unipc(prediction_type="sample")), 1000, "`prediction_type: epsilon`"),
    (Sampler(unipc(rescale_betas_zero_snr=True)), 1000, "`rescale_betas_zero_snr: false`"),
    (Sampler(unipc(use_flow_sigmas=True)), 1000, "`use_flow_sigmas: false`"),
    (
        Sampler(partial(SCHEDULERS["ddpm"], variance_type="learned")),
        1000,
        "`variance_type: fixed_small`",
    ),
    (
        Sampler(unipc(use_karras_sigmas=True, use_exponential_sigmas=True)),
        1000,
        "Only one of .*use_karras_sigmas",
    ),
    # the default spacing visits one of ten timesteps twice and divides by their distance
    (Sampler(UniPCMultistepScheduler), 10, "10 steps .* repeat .*`timestep_spacing: trailing`"),
    (Sampler(DPMSolverMultistepScheduler), 10, "repeat a timestep"),
    # diffusers counts to 30 here, down to timestep -1
    (Sampler(UNIPC, 29), 50, "29 steps from level 50 repeat .* set other steps"),
    (Sampler(ddim(timestep_spacing="leading")), 1000, "first timestep = 900, expected 999"),
    (Sampler(ddim(), 3), 10, "3 steps do not divide 10 levels"),
    (Sampler(unipc(lower_order_final=False)), 1000, "NaN .*`lower_order_final: true`"),
    (Sampler(EulerDiscreteScheduler), 1000, "EulerDiscreteScheduler: not one of DDPM"),
    (Sampler(FlowMatchEulerDiscreteScheduler), 1000, "trained_betas"),
]


@pytest.mark.parametrize(("sampler", "levels", "message"), REFUSED, ids=[m for *_, m in REFUSED])
def test_a_sampler_that_does_not_fit_is_refused_without_a_network(sampler, levels, message):
    with pytest.raises(CryoccdError, match=message) as refusal:
        sampler.check(NoiseSchedule(levels))
    assert "\n" not in str(refusal.value)


def test_a_sampler_that_fits_passes_the_check():
    Sampler(UNIPC, 10).check(NoiseSchedule(10))


def test_nan_of_the_network_is_refused():
    with pytest.raises(CryoccdError, match="what the network predicts"):
        Sampler(UNIPC)(
            lambda image, t: image / 0, torch.zeros(1, 1, 2, 2), NoiseSchedule(), generators(1)
        )


def test_each_image_has_one_generator():
    with pytest.raises(ValueError, match="longer"):
        Sampler(UNIPC)(
            lambda image, t: image, torch.zeros(2, 1, 2, 2), NoiseSchedule(), generators(1)
        )


class Method:
    """Takes a sampler as a method does."""

    def __init__(self, sampler: Sampler, schedule: NoiseSchedule) -> None:
        self.sampler, self.schedule = sampler, schedule


def parsed(class_path: str, mode: str = "omegaconf", **options) -> Method:
    parser = ArgumentParser(exit_on_error=False, parser_mode=mode)
    parser.add_subclass_arguments(Method, "model")
    scheduler = {"class_path": class_path, "init_args": options}
    arguments = {
        "sampler": {
            "class_path": "cryoccd.diffusion.sampler.Sampler",
            "init_args": {"scheduler": scheduler, "steps": 5},
        },
        "schedule": {
            "class_path": "cryoccd.diffusion.schedule.NoiseSchedule",
            "init_args": {"steps": 10},
        },
    }
    model = {"class_path": f"{__name__}.Method", "init_args": arguments}
    with one_line(parser):
        config = parser.parse_object({"model": model})
        # the written configuration, with every default in it, runs as it is
        again = parser.parse_string(parser.dump(config, skip_unset=False))
        return parser.instantiate(again).model


@pytest.mark.parametrize("mode", ["omegaconf", "yaml"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("UniPCMultistepScheduler", {"solver_order": 1, "timestep_spacing": "trailing"}),
        ("DPMSolverMultistepScheduler", {}),
        ("DDIMScheduler", {"clip_sample": False, "timestep_spacing": "trailing"}),
        ("DDPMScheduler", {"clip_sample": False, "timestep_spacing": "trailing"}),
        ("HeunDiscreteScheduler", {}),
        ("LMSDiscreteScheduler", {}),
    ],
)
def test_a_configuration_builds_a_scheduler_that_takes_the_betas(name, options, mode):
    model = parsed(f"diffusers.{name}", mode, **options)
    model.sampler.check(model.schedule)
    betas = model.schedule.betas[:6]
    scheduler, _ = fit_scheduler(model.sampler.scheduler, betas, 3)
    assert type(scheduler).__name__ == name
    torch.testing.assert_close(scheduler.betas, betas.float())
    assert {key: scheduler.config[key] for key in options} == options
    second, _ = fit_scheduler(model.sampler.scheduler, betas, 3)
    assert second is not scheduler


@pytest.mark.parametrize("key", ["nonsense", "beta_start", "trained_betas", "num_train_timesteps"])
def test_an_unknown_option_of_the_scheduler_is_refused(key):
    with pytest.raises(CryoccdError, match=f"unknown key {key}") as refusal:
        parsed("diffusers.UniPCMultistepScheduler", **{key: 1})
    assert "\n" not in str(refusal.value)


def test_what_is_no_scheduler_is_refused():
    with pytest.raises(CryoccdError, match="SchedulerMixin"):
        parsed("torch.nn.Identity")
