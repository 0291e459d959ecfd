import pytest
import torch
from torch import nn
from translators import demo, seeded, toy_batch, translated

from cryoccd.errors import CryoccdError
from cryoccd.methods.cryoccd import CryoCCD
from cryoccd.methods.noise_prediction import denoising_error, one_step
from cryoccd.randomness import levels_of, noise_like

PRESETS = ("cryoccd", "cryoccd_t1000", "cryoccd_v1")


def evaluated(model: CryoCCD) -> list[tuple[float, torch.Tensor]]:
    """Level and condition at each evaluation of ε_AB, once the model is used."""
    calls: list[tuple[float, torch.Tensor]] = []
    model.forward_net.register_forward_pre_hook(
        lambda _net, arguments: calls.append((float(arguments[1][0]), arguments[2]))
    )
    return calls


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("steps", [1, 5, 10])
def test_one_evaluation_a_step_from_the_last_level_to_a_finite_image(name, steps):
    model = demo(name, **{"sampler.init_args.steps": steps}).eval()
    calls, batch = evaluated(model), toy_batch(2, 48, 0)
    image = translated(model, batch)
    assert image.isfinite().all()
    assert 0.1 < image.std() < 6
    levels = [level for level, _ in calls]
    assert levels == pytest.approx([1 - i / steps for i in range(steps)])
    condition = torch.cat([condition for _, condition in calls])
    assert condition.shape[1] == len(model.conditions) == model.forward_net.n_conditions
    source, fields = condition[:2, :1], condition[:2, 1:]
    assert float(source.std()) == pytest.approx(1 / 6, rel=0.1)
    assert torch.equal(fields, torch.cat([batch.mask, batch.ice], 1)[:, : fields.shape[1]])
    assert torch.equal(condition.unflatten(0, (steps, 2))[-1], condition[:2])  # it stays


def test_each_step_goes_over_all_tiles():
    model = demo("cryoccd", tile_px=64, overlap_px=16).eval()
    calls = evaluated(model)
    assert translated(model, toy_batch(1, 100, 0)).shape == (1, 1, 100, 100)
    assert len(calls) == 10 * 2 * 2


class Told(nn.Module):
    """Predicts what it is told."""

    noise: torch.Tensor

    def forward(self, noised, level, condition, style):
        self.level = level
        return self.noise


@pytest.mark.parametrize("name", PRESETS)
def test_going_there_by_the_right_noise_is_coming_back(name):
    schedule, net = demo(name).schedule, Told()
    image = toy_batch(4, 32, 0).real / 6
    net.noise = noise_like(image, seeded(0, 4))
    t = levels_of(seeded(1, 4), schedule.steps, image.device)
    style = torch.zeros(4, dtype=torch.int64)
    back = one_step(net, schedule, image, image, t, net.noise, style)
    torch.testing.assert_close(back, image, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(net.level, (t + 1) / schedule.steps)
    wrong = one_step(net, schedule, image, image, t, net.noise.flip(0), style)
    assert (wrong - image).std() > 0.01
    assert float(denoising_error(net, schedule, image, image, t, net.noise, style)) == 0
    other = net.noise + 0.5
    assert float(denoising_error(net, schedule, image, image, t, other, style)) == pytest.approx(
        0.25
    )


def test_the_way_back_knows_neither_mask_nor_ice():
    model = demo("cryoccd")
    batch, calls = toy_batch(2, 32, 0), evaluated(model)
    a = model.source(batch.clean, batch.ice, seeded(0, 2))
    model.generator_losses(a, model.real_input(batch.real), batch, seeded(0, 2))
    (_, there), (_, back) = calls  # b' of a, and b of a'
    assert torch.equal(there, torch.cat([a, batch.mask, batch.ice], 1))
    assert not bool(back[:, 1:].any())
    assert back[:, 0].std() > 0.01


def test_levels_of_the_thousand_end_where_those_of_the_ten_do():
    ten, thousand = (demo(name).schedule for name in ("cryoccd", "cryoccd_t1000"))
    assert (ten.steps, thousand.steps) == (10, 1000)
    assert float(thousand.alpha_bar[-1]) == pytest.approx(float(ten.alpha_bar[-1]), rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"conditions": "[source, mask]"}, "forward_net.n_conditions = 3, expected 2"),
        ({"backward_net.init_args.n_conditions": 2}, "backward_net.n_conditions = 2, expected 1"),
        ({"head.init_args.channels": "[16, 32]"}, r"head.channels = \(16, 32\), expected \(16, 16"),
        ({"conditions": "[source, mask, depth]"}, "conditions"),
        ({"sampler.init_args.steps": 11}, "steps = 11, start = None, expected steps <= start <="),
        ({"lambda_cyle": 1.0}, r"unknown key lambda_cyle \(is it lambda_cycle\?\)"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(changes, line):
    with pytest.raises(CryoccdError, match=line) as refusal:
        demo("cryoccd", **changes)
    assert "\n" not in str(refusal.value)
