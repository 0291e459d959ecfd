import copy

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.nn.volume_attention import VolumeAttention
from cryoccd.nn.volume_level import VolumeBlock, groups_of
from cryoccd.nn.volume_unet import NO_DENSITY, VolumeUNet

PLUS = {"modulation": "scale_shift", "attention": True, "zero_last": True, "n_blocks": 2}
KINDS = [{}, {"joining": "concatenate"}, PLUS, {**PLUS, "density_condition": True}]


def small(**options) -> VolumeUNet:
    torch.manual_seed(0)
    return VolumeUNet(n_classes=3, base_width=8, **options)


def inputs(n: int = 2, side: int = 8, seed: int = 0) -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return {
        "noised": torch.randn(n, 1, side, side, side, generator=g),
        "level": torch.rand(n, generator=g),
        "label": torch.randint(2, (n,), generator=g),
        "position": torch.rand(n, 3, generator=g),
    }


def stepped(net: VolumeUNet) -> VolumeUNet:
    """After two steps on noise, the second of which finds a result that is no longer zero."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    batch = inputs(4)
    if net.density_condition:
        batch["density"] = inputs(4, seed=9)["noised"].abs()
    for _ in range(2):
        optimizer.zero_grad()
        (net(**batch) - inputs(4, seed=7)["noised"]).square().mean().backward()
        optimizer.step()
    return net.eval()


def test_size_of_the_papers_network():
    count = sum(p.numel() for p in VolumeUNet().parameters())
    assert count == pytest.approx(3.42e6, rel=0.01)
    # what three vectors side by side add: 256 more inputs in each block, of 480 channels in all
    wide = sum(p.numel() for p in VolumeUNet(joining="concatenate").parameters())
    assert wide - count == 256 * (32 + 64 + 128 + 128 + 64 + 32 + 32)


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("shape", [(8, 8, 8), (16, 16, 16), (8, 16, 24)])
def test_any_side_that_is_a_multiple_of_8(options, shape):
    batch = inputs() | {"noised": torch.randn(2, 1, *shape)}
    with torch.no_grad():
        assert small(**options).eval()(**batch).shape == (2, 1, *shape)


@pytest.mark.parametrize("options", KINDS)
def test_all_that_is_told_reaches_the_result(options):
    net = stepped(small(**options))
    batch = inputs()
    more = [
        {"level": batch["level"] / 2},
        {"label": batch["label"] + 1},
        {"position": 1 - batch["position"]},
        {"known": torch.zeros(2, dtype=torch.bool)},
    ]
    if net.density_condition:
        more.append({"density": torch.rand(2, 1, 8, 8, 8)})
        more.append({"density": torch.zeros(2, 1, 8, 8, 8)})
    with torch.no_grad():
        before = net(**batch)
        moved = [(net(**(batch | change)) - before).abs().max() for change in more]
        assert min(moved) > 1e-3 * before.std(), moved


@pytest.mark.parametrize("options", KINDS)
def test_untold_is_the_same_whatever_class_and_place(options):
    net, batch = stepped(small(**options)), inputs()
    other = batch | {"label": batch["label"] + 1, "position": 1 - batch["position"]}
    unknown = torch.zeros(2, dtype=torch.bool)
    with torch.no_grad():
        assert torch.equal(net(**batch, known=unknown), net(**other, known=unknown))
        half = torch.tensor([True, False])
        mixed = net(**batch, known=half)
        torch.testing.assert_close(mixed[0], net(**batch)[0])
        torch.testing.assert_close(mixed[1], net(**batch, known=unknown)[1])


def test_no_density_is_its_own_value():
    net, batch = stepped(small(**PLUS, density_condition=True)), inputs()
    with torch.no_grad():
        filled = net(**batch, density=torch.full_like(batch["noised"], NO_DENSITY))
        assert torch.equal(net(**batch), filled)


def test_a_box_is_the_same_in_any_batch():
    net, batch = stepped(small(**PLUS)), inputs(3)
    with torch.no_grad():
        alone = net(**{name: value[1:2] for name, value in batch.items()})
        torch.testing.assert_close(net(**batch)[1:2], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("options", KINDS)
def test_channels_stay_last(options):
    """Where one layer puts them first, all that follow it are turned to and fro."""
    net, first = small(**options), []

    def note(module, entered, left):
        for values in (*entered, left):
            kept = values.dim() < 5 or values.is_contiguous(memory_format=torch.channels_last_3d)
            if not kept:
                first.append(f"{type(module).__name__} of {tuple(values.shape)}")

    layers = [module for module in net.modules() if not list(module.children())]
    for layer in layers:
        layer.register_forward_hook(note)
    batch = inputs()
    if net.density_condition:
        batch["density"] = inputs(seed=9)["noised"].abs()
    net(**batch)
    assert first == []
    assert len(layers) > 30


@pytest.mark.parametrize("options", KINDS[1:])
def test_recomputed_blocks_have_the_same_gradient(options):
    kept = small(**options)
    recomputed = small(**options, recompute=True)
    recomputed.load_state_dict(copy.deepcopy(kept.state_dict()))
    gradients = []
    for net in (kept, recomputed):
        torch.nn.init.ones_(net.out.weight)
        net(**inputs()).square().mean().backward()
        gradients.append([p.grad for p in net.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 50
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_zero_last_starts_at_zero_and_hands_features_on():
    assert not small(zero_last=True)(**inputs()).any()
    assert small()(**inputs()).std() > 0.01
    block = small(zero_last=True, n_blocks=2).encoders[0].blocks[1]
    features = torch.randn(1, 8, 8, 8, 8)
    assert torch.equal(block(features, torch.randn(1, 128)), features)


def test_bias_outlives_the_norm_at_every_width():
    """Groups of one channel would take it away: the reason for at least four in a group."""
    assert [groups_of(width) for width in (1, 2, 8, 16, 32, 64, 256)] == [1, 1, 2, 4, 8, 8, 8]
    block = VolumeBlock(8, 8, 16, "bias")
    with torch.no_grad():
        one, other = (block(torch.ones(1, 8, 4, 4, 4), torch.randn(1, 16)) for _ in range(2))
    assert (one - other).abs().max() > 1e-2


def test_attention_is_that_of_torch():
    """Against MultiheadAttention with the same weights."""
    torch.manual_seed(0)
    ours, reference = VolumeAttention(16, heads=4), torch.nn.MultiheadAttention(16, 4)
    torch.nn.init.normal_(ours.out.weight)
    with torch.no_grad():
        reference.in_proj_weight.copy_(ours.queries_keys_values.weight)
        reference.in_proj_bias.copy_(ours.queries_keys_values.bias)
        reference.out_proj.weight.copy_(ours.out.weight)
        features = torch.randn(2, 16, 2, 3, 4)
        tokens = ours.norm(features).flatten(2).permute(2, 0, 1)
        expected = features + reference(tokens, tokens, tokens)[0].permute(1, 2, 0).reshape(
            features.shape
        )
        torch.testing.assert_close(ours(features), expected)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"base_width": 12}, "base_width = 12, expected a multiple of 8"),
        ({"base_width": 0}, "base_width = 0"),
        ({"n_classes": 0}, "n_classes = 0"),
        ({"n_blocks": 0}, "n_blocks = 0"),
    ],
)
def test_refused_sizes(options, told):
    with pytest.raises(CryoccdError, match=told):
        VolumeUNet(**options)


def test_refused_inputs():
    with pytest.raises(CryoccdError, match="12 x 12 x 12 voxels"):
        small()(**(inputs() | {"noised": torch.randn(2, 1, 12, 12, 12)}))
    with pytest.raises(CryoccdError, match="density_condition is false"):
        small()(**inputs(), density=torch.zeros(2, 1, 8, 8, 8))
    with pytest.raises(CryoccdError, match="heads = 3"):
        VolumeAttention(16, heads=3)
