import pytest
import torch

from cryoccd.diffusion.cosine import CosineSchedule
from cryoccd.diffusion.prediction import Parametrisation
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError

SCHEDULES = [NoiseSchedule(), CosineSchedule()]
T = torch.tensor([0, 1, 250, 500, 998, 999])


def drawn(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=g).double(), torch.randn(shape, generator=g).double()


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shape", [(6, 4), (6, 1, 3, 3), (6, 1, 2, 2, 2)])
@pytest.mark.parametrize("prediction", ["x0", "v"])
def test_the_target_gives_the_noise_back(schedule, shape, prediction):
    clean, noise = drawn(*shape)
    kind = Parametrisation(prediction, schedule)
    noised = kind.noised(clean, noise, T)
    alpha_bar = schedule.alpha_bar[T].reshape(-1, *[1] * (len(shape) - 1))
    expected = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise
    torch.testing.assert_close(noised, expected, atol=1e-12, rtol=1e-12)
    target = kind.target(clean, noise, T)
    torch.testing.assert_close(kind.noise_of(target, noised, T), noise, atol=1e-9, rtol=1e-9)


def test_v_is_the_velocity_on_the_circle():
    """x = cos φ x_0 + sin φ n, so dx/dφ = cos φ n − sin φ x_0 (Salimans and Ho)."""
    schedule = CosineSchedule()
    clean, noise = drawn(1, 5)
    t = torch.tensor([400])
    phi = schedule.alpha_bar[400].sqrt().acos()
    step = 1e-6
    ahead, behind = (f.cos() * clean + f.sin() * noise for f in (phi + step, phi - step))
    target = Parametrisation("v", schedule).target(clean, noise, t)
    torch.testing.assert_close(target, (ahead - behind) / (2 * step), atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_min_snr_is_one_loss_for_both_predictions(schedule):
    """min(SNR, 5) on the error of the clean image that each of them means."""
    clean, noise = drawn(6, 8)
    snr = schedule.alpha_bar[T] / (1 - schedule.alpha_bar[T])
    expected = snr.clamp(max=5) * 0.01 * clean.square().mean(1)
    for prediction in ("x0", "v"):
        kind = Parametrisation(prediction, schedule)
        noised = kind.noised(clean, noise, T)
        other = 0.9 * clean  # an estimate that is off by a tenth, in the terms of the prediction
        a, s = schedule.alpha_bar[T, None].sqrt(), (1 - schedule.alpha_bar[T, None]).sqrt()
        predicted = other if prediction == "x0" else (a * noised - other) / s
        error = (predicted - kind.target(clean, noise, T)).square().mean(1)
        weighted = kind.weight("min_snr", T) * error
        torch.testing.assert_close(weighted, expected, rtol=1e-4, atol=1e-12)
        clean_error = kind.clean_error(error, T)
        torch.testing.assert_close(clean_error, 0.01 * clean.square().mean(1), rtol=1e-6, atol=0)
        assert kind.weight("uniform", T).tolist() == 6 * [1.0]


def test_between_levels_the_logarithm_of_snr_is_interpolated():
    schedule = NoiseSchedule(100, 1e-3, 0.2)
    kind = Parametrisation("v", schedule)
    clean, noise = drawn(3, 4)
    log_snr = (schedule.alpha_bar / (1 - schedule.alpha_bar)).log()
    half = torch.sigmoid((log_snr[40] + log_snr[41]) / 2)
    noised = kind.noised(clean, noise, torch.full((3,), 40.5))
    torch.testing.assert_close(noised, half.sqrt() * clean + (1 - half).sqrt() * noise)


def test_cosine_is_that_of_the_paper():
    schedule = CosineSchedule(1000)
    f = [torch.cos(torch.tensor((i / 1000 + 0.008) / 1.008 * torch.pi / 2)) ** 2 for i in (0, 500)]
    assert schedule.alpha_bar[499] == pytest.approx(float(f[1] / f[0]), rel=1e-5)
    assert schedule.betas.max() == 0.999
    assert 0 < schedule.alpha_bar[-1] < 1e-8
    assert (schedule.alpha_bar > 0.5).double().mean() == pytest.approx(0.5, abs=0.01)
    assert (NoiseSchedule().alpha_bar > 0.5).double().mean() == pytest.approx(0.26, abs=0.01)


@pytest.mark.parametrize("shift_dB", [-12.0, 6.0])
def test_a_shift_moves_every_level_by_as_much(shift_dB):
    known, moved = CosineSchedule(200), CosineSchedule(200, shift_dB=shift_dB)
    ratios = [each.alpha_bar / (1 - each.alpha_bar) for each in (known, moved)]
    torch.testing.assert_close(
        10 * (ratios[1] / ratios[0]).log10(), torch.full_like(ratios[0], shift_dB)
    )
    torch.testing.assert_close((1 - moved.betas).cumprod(0), moved.alpha_bar, rtol=1e-9, atol=1e-15)
    # weights go with the levels: t weighs what it did
    t = torch.arange(0, 200, 20)
    weights = [
        kind.weight("min_snr", t)
        for kind in (Parametrisation("x0", known), Parametrisation("x0", moved))
    ]
    torch.testing.assert_close(*weights, rtol=1e-5, atol=0)


def test_refusals():
    with pytest.raises(CryoccdError, match="prediction = 'noise', expected x0 or v"):
        Parametrisation("noise", NoiseSchedule(10))
    with pytest.raises(CryoccdError, match="weighting = 'snr'"):
        Parametrisation("v", NoiseSchedule(10)).weight("snr", T)
    for options, told in (
        ({"steps": 0}, "steps = 0"),
        ({"steps": 10**5}, "fewer steps, a larger offset"),
        ({"offset": -0.1}, "offset"),
        ({"max_beta": 1.0}, "max_beta"),
        ({"shift_dB": -50.0}, "shift_dB"),
    ):
        with pytest.raises(CryoccdError, match=told):
            CosineSchedule(**options)
