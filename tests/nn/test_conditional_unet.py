import pytest
import torch
from torch import nn
from translators import Toy, demo, fit, toy_batch

from cryoccd.errors import CryoccdError
from cryoccd.nn.conditional_unet import ConditionalUNet

BOTH = pytest.mark.parametrize("attention", [False, True])


def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """As lively as a trained one."""
    torch.manual_seed(seed)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter, a=1)
        else:
            nn.init.normal_(parameter, 0, 0.3)
    return network.eval().requires_grad_(False)


def small(attention: bool, depth: int = 3, **changes) -> ConditionalUNet:
    settings = {"n_conditions": 2, "widths": (8, 16, 16)[:depth], "n_blocks": 1}
    return lively(ConditionalUNet(**settings, attention=attention, **changes))


def inputs(count: int, *shape: int) -> tuple[torch.Tensor, ...]:
    """x_t, level, condition, style."""
    torch.manual_seed(1)
    level, style = torch.full((count,), 0.5), torch.zeros(count, dtype=torch.int64)
    return torch.randn(count, 1, *shape), level, torch.randn(count, 2, *shape), style


def change(output: torch.Tensor, other: torch.Tensor) -> float:
    return float((output - other).norm() / output.norm())


def test_time_and_mask_matter_after_a_few_steps_of_cryoccds_own_losses():
    model = demo("cryoccd")
    fit(model.train(), Toy(10, size=4))
    batch = toy_batch(4, 64, 1)
    net, style = model.forward_net.requires_grad_(False), batch.style
    condition = model.condition(0.16 * batch.clean, batch.mask, batch.ice)
    early, late = (torch.full((4,), place) for place in (0.1, 1.0))
    predicted = net(batch.real / 6, early, condition, style)
    assert change(predicted, net(batch.real / 6, late, condition, style)) > 1e-2
    for channel in (1, 2):
        other = condition.clone()
        other[:, channel] = 1 - other[:, channel]
        assert change(predicted, net(batch.real / 6, early, other, style)) > 1e-2


@BOTH
def test_a_local_edit_of_the_condition_changes_the_prediction_there(attention):
    network = small(attention)
    x, level, condition, style = inputs(1, 256, 256)
    other = condition.clone()
    other[..., 124:132, 124:132] += 2
    moved = (network(x, level, other, style) - network(x, level, condition, style)).square()
    rms = torch.stack([moved[..., 120:136, 120:136].mean(), moved[..., :64, :].mean()]).sqrt()
    assert rms[0] > 0.05
    assert rms[1] < 0.01 * rms[0]  # by the norms alone


@BOTH
def test_a_shift_by_align_px_shifts_the_prediction(attention):
    network = small(attention, depth=2)
    step, side = network.align_px, 192
    assert step == 2 * (8 if attention else 1)
    patch = torch.randn(3, 12, 12)
    fields = torch.zeros(3, 3, side, side)
    for field, shift in zip(fields, (0, step, 1), strict=True):
        # flat elsewhere, so that a shift leaves the statistics of the norms as they are
        field[:, 90 + shift : 102 + shift, 90:102] = patch
    level, style = torch.full((3,), 0.5), torch.zeros(3, dtype=torch.int64)
    predicted = network(fields[:, :1], level, fields[:, 1:], style)[:, 0, 48:-48, 48:-48]
    still, moved, by_one = predicted
    assert still.std() > 0.01
    torch.testing.assert_close(moved[step:], still[:-step], atol=1e-4, rtol=0)
    assert (by_one[1:] - still[:-1]).abs().max() > 0.01  # no other shift is one of its own


@BOTH
@pytest.mark.parametrize("shape", [(1, 5), (20, 33), (3, 64), (16, 16)])
def test_any_size_is_predicted_and_images_are_treated_apart(attention, shape):
    network = small(attention)
    x, level, condition, style = inputs(2, *shape)
    alone = network(x[:1], level[:1], condition[:1], style[:1])
    x[1, 0, 0, 0], level[1] = 1e4, 1.0
    both = network(x, level, condition, style)
    assert both.shape == (2, 1, *shape)
    assert both.isfinite().all()
    torch.testing.assert_close(both[:1], alone, atol=1e-5, rtol=1e-5)


def test_styles_start_alike_and_can_differ():
    network = ConditionalUNet(2, (8, 16), n_blocks=1, n_styles=2)
    assert not bool(network.style.weight.any())
    x, level, condition, _ = inputs(1, 16, 16)
    network = small(attention=False, n_styles=2)
    network.style.weight.zero_()
    first, second = torch.tensor([0]), torch.tensor([1])
    before = network(x, level, condition, first)
    assert torch.equal(before, network(x, level, condition, second))
    network.style.weight[1].normal_()
    assert torch.equal(before, network(x, level, condition, first))
    assert change(before, network(x, level, condition, second)) > 1e-2


@pytest.mark.parametrize("n_levels", [1, 2, 3, 4])
def test_encode_stops_early_and_gives_the_features_of_the_whole_pass(n_levels):
    network = small(attention=True)
    ran, seen = [], []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *_: ran.append(1))
    for module in (network.stem, *network.levels):
        module.register_forward_hook(lambda _module, _input, output: seen.append(output))
    network(*inputs(1, 20, 12))
    whole, seen, ran = seen, [], []
    features = network.encode(*inputs(1, 20, 12), n_levels)
    assert len(features) == n_levels == len(seen)
    # convolutions: the stem; two a block; one downwards; one on the skip where the width changes
    assert len(ran) == (1, 3, 7, 10)[n_levels - 1]
    for feature, expected, width in zip(features, whole, network.feature_widths, strict=False):
        assert torch.equal(feature, expected)
        assert feature.shape[1] == width


def test_the_papers_network_has_the_papers_size():
    with torch.device("meta"):
        network = ConditionalUNet(n_conditions=3)
    count = sum(p.numel() for p in network.parameters())
    assert count == 10_726_685
    assert count == pytest.approx(10.49e6, rel=0.03)  # the paper's code
    assert network.feature_widths == (64, 64, 128, 128, 256)


def test_misfits_are_refused():
    for widths in ([64], [64, 60], []):
        with pytest.raises(CryoccdError, match="expected at least two multiples of 8"):
            ConditionalUNet(widths=widths)
    for n_levels in (0, 5):
        with pytest.raises(CryoccdError, match="feature levels, expected 1 to 4"):
            small(attention=False).encode(*inputs(1, 8, 8), n_levels)
