import math

import pytest
import torch

from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError


def test_levels_of_ten_steps():
    schedule = NoiseSchedule(10, 1e-4, 0.02)
    assert schedule.alpha_bar.dtype == schedule.betas.dtype == torch.float64
    assert float(schedule.alpha_bar[0]) == 1 - 1e-4
    assert float(schedule.alpha_bar[-1]) == pytest.approx(0.9037, abs=5e-5)
    betas = [1e-4 + i * (0.02 - 1e-4) / 9 for i in range(10)]
    assert schedule.alpha_bar.tolist() == pytest.approx(
        [math.prod(1 - beta for beta in betas[: t + 1]) for t in range(10)]
    )


def test_thousand_steps_end_in_noise():
    assert float(NoiseSchedule().alpha_bar[-1]) == pytest.approx(4.036e-5, rel=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clean_of_undoes_add_noise(dtype):
    schedule, t = NoiseSchedule(), torch.tensor([0, 10, 300, 999])
    clean, noise = torch.randn(2, 4, 2, 5, 7, dtype=dtype, generator=torch.manual_seed(0))
    noised = schedule.add_noise(clean, noise, t)
    assert noised.dtype == dtype
    alpha_bar = schedule.alpha_bar[t].to(dtype)[:, None, None, None]
    expected = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise
    torch.testing.assert_close(noised, expected)
    # the last level divides by 0.006
    tolerance = 200 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        schedule.clean_of(noised, noise, t), clean, atol=tolerance, rtol=tolerance
    )


def test_half_precision_images_have_full_precision_factors():
    schedule, t = NoiseSchedule(10), torch.tensor([9])
    clean, noise = torch.randn(2, 1, 1, 64, 64, generator=torch.manual_seed(0)).bfloat16()
    noised = schedule.add_noise(clean, noise, t)
    assert noised.dtype == torch.bfloat16
    exact = schedule.add_noise(clean.double(), noise.double(), t)
    assert torch.equal(noised, exact.bfloat16())  # one rounding, at the end


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((0,), "steps = 0"),
        ((10, 0.0), "beta_start = 0.0"),
        ((10, 0.02, 0.01), "beta_end = 0.01"),
        ((10, 1e-4, 1.0), "beta_end = 1.0"),
        ((10, float("nan")), "beta_start = nan"),
        ((1000, 0.5, 0.5), "fewer steps"),
    ],
)
def test_nonsense_is_refused(arguments, field):
    with pytest.raises(CryoccdError, match=field) as refusal:
        NoiseSchedule(*arguments)
    assert "\n" not in str(refusal.value)
