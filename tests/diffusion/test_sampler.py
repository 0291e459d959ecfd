from functools import partial

import pytest
import torch
from denoisers import SCHEDULERS, STOCHASTIC, TRAILING, Denoiser, generators
from diffusers.schedulers.scheduling_heun_discrete import HeunDiscreteScheduler
from diffusers.schedulers.scheduling_lms_discrete import LMSDiscreteScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule

BETWEEN = {  # these go between two levels of the training
    "heun linspace": HeunDiscreteScheduler,
    "lms linspace": LMSDiscreteScheduler,
    "unipc exponential": partial(UniPCMultistepScheduler, use_exponential_sigmas=True),
    "unipc karras": partial(UniPCMultistepScheduler, use_karras_sigmas=True),
}


def images(count: int, seed: int = 7) -> torch.Tensor:
    return torch.randn(count, 1, 16, 16, generator=torch.manual_seed(seed))


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize(
    ("levels", "start", "steps"), [(10, None, 10), (10, None, 5), (1000, None, 20), (1000, 40, 8)]
)
def test_from_the_noised_source_one_evaluation_a_step_over_exactly_the_levels_below_start(
    name, levels, start, steps
):
    schedule = NoiseSchedule(levels)
    denoiser = Denoiser(schedule, 0.0, 1.0)
    Sampler(SCHEDULERS[name], steps, start)(denoiser, images(2), schedule, generators(2))
    times = [t for _, t in denoiser.calls]
    assert len(times) == (2 * steps - 1 if name == "heun" else steps)
    assert all(t.dtype == torch.int64 and t.shape == (2,) for t in times)
    span = start or levels
    wanted = [span * i // steps - 1 for i in range(steps, 0, -1)]
    assert [int(t[0]) for t in times[:: 2 if name == "heun" else 1]] == wanted

    noise = torch.cat([torch.randn(1, 1, 16, 16, generator=g) for g in generators(2)])
    noised = schedule.add_noise(images(2), noise, times[0])
    torch.testing.assert_close(denoiser.calls[0][0], noised, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [*SCHEDULERS, *BETWEEN])
def test_network_sees_the_variance_preserving_image_of_its_level(name):
    """A point mass moves on √ᾱ x_0 + √(1 − ᾱ) n for one n; with DDPM, for one n a level."""
    schedule, clean = NoiseSchedule(100, 1e-3, 0.2), images(1)
    denoiser = Denoiser(schedule, clean, 0.0)
    sampler = Sampler({**SCHEDULERS, **BETWEEN}[name], 8 if name in BETWEEN else 10)
    sampler(denoiser, images(1, seed=8), schedule, generators(1))
    moves = []
    for image, t in denoiser.calls:
        alpha_bar = denoiser.alpha_bar(t)
        moves.append(((image - alpha_bar.sqrt() * clean) / (1 - alpha_bar).sqrt()).float())
    for move in moves[1:]:
        if name in STOCHASTIC:  # 256 pixels: 4.4 % standard error
            assert move.std() == pytest.approx(1, abs=0.15)
        else:
            torch.testing.assert_close(move, moves[0], atol=2e-4, rtol=0)
    if name in BETWEEN:
        assert torch.float32 in {t.dtype for _, t in denoiser.calls}


def test_rounded_timesteps_of_the_scheduler_do_not_matter():
    """Two sigmas near the first level have timestep 99 there; none of the two is skipped."""
    schedule = NoiseSchedule(100, 1e-3, 0.2)
    denoiser = Denoiser(schedule, images(1), 0.0)
    found = Sampler(BETWEEN["unipc karras"], 100)(denoiser, images(1), schedule, generators(1))
    times = [float(t) for _, t in denoiser.calls]
    assert times[0] == 99
    assert 98.5 < times[1] < 98.6
    torch.testing.assert_close(found, images(1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_point_mass_is_recovered(name):
    schedule, clean = NoiseSchedule(10), images(2)
    sampler = Sampler(SCHEDULERS[name], 10)
    found = sampler(Denoiser(schedule, clean, 0.0), images(2, seed=8), schedule, generators(2))
    torch.testing.assert_close(found, clean, atol=5e-5, rtol=0)


STEPS = {"ddpm": 1000, "ddim": 500, "unipc": 40, "dpm++": 40, "dpm++sde": 200, "heun": 40}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("start", [None, 400])
def test_gaussian_prior_is_sampled(name, start):
    """From pure noise, and from images of that prior noised to 400 of 1000 levels."""
    schedule, mean, sd = NoiseSchedule(), 0.3, 0.5
    steps = min(STEPS.get(name, 20), start or 1000)
    sampler = Sampler(SCHEDULERS[name], 200 if steps == 400 else steps, start, start is None)
    prior = mean + sd * torch.randn(4, 1, 64, 64, generator=torch.manual_seed(1))
    samples = sampler(Denoiser(schedule, mean, sd), prior, schedule, generators(4))
    # 16384 pixels: standard error 0.004 of the mean, 0.6 % of the sd; the rest is discretisation
    assert samples.mean() == pytest.approx(mean, abs=0.016)
    assert samples.std() == pytest.approx(sd, rel=0.025)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("pure_noise", [False, True])
def test_an_image_is_the_same_in_any_batch(name, pure_noise):
    schedule, source = NoiseSchedule(), images(3)
    sampler = Sampler(SCHEDULERS[name], 10, pure_noise=pure_noise)
    denoiser = Denoiser(schedule, 0.3, 0.5)
    batch = sampler(denoiser, source, schedule, generators(3))
    alone = sampler(denoiser, source[:1], schedule, generators(1))
    again = sampler(denoiser, source[1:2], schedule, generators(1, seed=1))
    torch.testing.assert_close(batch[:2], torch.cat([alone, again]), atol=1e-6, rtol=1e-6)
    assert (batch[0] - batch[1]).abs().max() > 0.1


@pytest.mark.parametrize("name", SCHEDULERS)
def test_pure_noise_forgets_the_source(name):
    schedule = NoiseSchedule()
    denoiser = Denoiser(schedule, 0.3, 0.5)
    sampler = Sampler(SCHEDULERS[name], 10, pure_noise=True)
    first, second = (sampler(denoiser, images(1, s), schedule, generators(1)) for s in (1, 2))
    assert torch.equal(first, second)
    image, t = denoiser.calls[0]
    assert int(t) == 999
    assert image.std() == pytest.approx(1, abs=0.13)  # 256 pixels: 4.4 % standard error


def test_double_precision_stays():
    schedule = NoiseSchedule(10)
    sampler = Sampler(partial(UniPCMultistepScheduler, **TRAILING), 10)
    denoiser = Denoiser(schedule, 0.3, 0.5)
    assert sampler(denoiser, images(1).double(), schedule, generators(1)).dtype == torch.float64


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", SCHEDULERS)
def test_cpu_generators_give_the_same_images_on_a_gpu(name):
    schedule, sampler = NoiseSchedule(), Sampler(SCHEDULERS[name], 10)

    def predict(image: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        noise = (1 - schedule.alpha_bar).sqrt().to(image)[t]
        return 0.9 * noise[:, None, None, None] * image

    here = sampler(predict, images(2), schedule, generators(2))
    there = sampler(predict, images(2).cuda(), schedule, generators(2))
    assert there.device.type == "cuda"
    torch.testing.assert_close(there.cpu(), here, atol=1e-4, rtol=1e-4)
