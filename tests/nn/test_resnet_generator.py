import pytest
import torch
from torch import nn
from torch.nn import functional

from cryoccd.errors import CryoccdError
from cryoccd.nn.blur_down import BlurDown
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.initialise import initialise
from cryoccd.nn.resnet_generator import ResnetGenerator

BOTH = pytest.mark.parametrize("antialias", [False, True])


def small(antialias: bool, n_blocks: int = 3, base_channels: int = 4) -> ResnetGenerator:
    torch.manual_seed(0)
    network = ResnetGenerator(n_blocks, base_channels, antialias).eval()
    for parameter in network.parameters():  # as lively as a trained one
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
        else:
            nn.init.normal_(parameter, 0, 0.3)
    return network.requires_grad_(False)


def expected_count(n: int, c: int) -> int:
    """Weights and biases of the convolutions, layer by layer; norms have none."""
    enter, leave = 49 * c + c, 49 * c + 1
    down = (9 * c * 2 * c + 2 * c) + (9 * 2 * c * 4 * c + 4 * c)
    up = (9 * 4 * c * 2 * c + 2 * c) + (9 * 2 * c * c + c)
    return enter + down + 2 * n * (9 * 16 * c * c + 4 * c) + up + leave


@BOTH
def test_the_papers_network_has_11_365_633_parameters(antialias):
    with torch.device("meta"):
        networks = [ResnetGenerator(n, c, antialias) for n, c in ((9, 64), (3, 16))]
    counts = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert counts == [expected_count(9, 64), expected_count(3, 16)]
    assert counts[0] == 11_365_633


@pytest.mark.parametrize(
    ("antialias", "sides"), [(False, (64, 32, 16, 16, 16)), (True, (64, 64, 32, 16, 16))]
)
def test_features_of_the_papers_network(antialias, sides):
    with torch.device("meta"):
        network = ResnetGenerator(antialias=antialias)
        head = FeatureHead(network.widths)
    image = torch.zeros(2, 1, 64, 64, device="meta")
    features = network.encode(image, network.depth)
    widths = (1, 128, 256, 256, 256)
    assert [tuple(f.shape) for f in features] == [
        (2, width, side, side) for width, side in zip(widths, sides, strict=True)
    ]
    assert len(head([f.flatten(2).transpose(1, 2) for f in features])) == 5
    assert network(image).shape == image.shape


@BOTH
@pytest.mark.parametrize(("n_blocks", "second"), [(3, 2), (4, 2), (9, 5)])
def test_features_are_those_of_the_whole_pass(antialias, n_blocks, second):
    network = small(antialias, n_blocks)
    image = torch.randn(2, 1, 16, 20)
    seen = {}
    watched = [*network.downs, network.blocks[0], network.blocks[second - 1]]
    for place, module in enumerate(watched):
        module.register_forward_hook(
            lambda _module, _input, output, place=place: seen.update({place: output})
        )
    network(image)
    whole = [image, *(seen[place] for place in range(4))]
    for feature, expected in zip(network.encode(image, 5), whole, strict=True):
        assert torch.equal(feature, expected)


@pytest.mark.parametrize(("n_levels", "calls"), [(1, 0), (2, 2), (3, 3), (4, 5), (5, 13)])
def test_encode_stops_at_the_last_level_asked_for(n_levels, calls):
    network = small(antialias=False, n_blocks=9)
    ran = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(lambda *_: ran.append(1))
    assert len(network.encode(torch.randn(1, 1, 16, 16), n_levels)) == n_levels
    assert len(ran) == calls  # convolutions: one at the entry, two down, two in each block


@BOTH
@pytest.mark.parametrize("shape", [(1, 5), (3, 64), (7, 8), (33, 18), (16, 16)])
def test_any_side_is_translated_into_the_range_of_tanh(antialias, shape):
    result = small(antialias)(torch.randn(2, 1, *shape))
    assert result.shape == (2, 1, *shape)
    assert result.isfinite().all()
    assert result.abs().max() <= 1


@BOTH
def test_sides_are_completed_by_mirroring(antialias):
    network = small(antialias)
    image = torch.randn(1, 1, 13, 18)
    mirrored = functional.pad(image, (0, 2, 0, 3), mode="reflect")
    torch.testing.assert_close(network(image), network(mirrored)[..., :13, :18])


@BOTH
def test_images_of_a_batch_are_treated_apart(antialias):
    network = small(antialias)
    images = torch.randn(2, 1, 16, 16)
    alone = network(images[:1])
    images[1] = 100 * images[1]
    torch.testing.assert_close(network(images)[:1], alone)


@BOTH
def test_a_shift_by_the_stride_shifts_the_output(antialias):
    network = small(antialias).double()
    blob = torch.randn(1, 1, 12, 12, dtype=torch.float64)
    images = torch.zeros(3, 1, 192, 192, dtype=torch.float64)
    for image, shift in zip(images, (0, network.stride, 1), strict=True):
        # flat elsewhere, so that a shift leaves the statistics of the norms as they are
        image[..., 90 + shift : 102 + shift, 90:102] = blob
    still, moved, by_one = network(images)[:, 0, 40:-40, 40:-40]
    assert still.std() > 0.01
    torch.testing.assert_close(moved[4:], still[:-4], atol=1e-9, rtol=0)
    assert (by_one[1:] - still[:-1]).abs().max() > 0.01  # no other shift is one of its own


def checkerboard(side: int) -> torch.Tensor:
    index = torch.arange(side)
    return (1.0 - 2.0 * ((index[:, None] + index) % 2))[None, None]


def test_blur_is_the_binomial_and_stops_the_nyquist_frequency():
    image = torch.randn(1, 2, 10, 14)
    kernel = torch.outer(*2 * [torch.tensor([1.0, 2.0, 1.0]) / 4]).expand(2, 1, 3, 3)
    padded = functional.pad(image, (1, 1, 1, 1), mode="reflect")
    expected = functional.conv2d(padded, kernel, stride=2, groups=2)
    torch.testing.assert_close(BlurDown()(image), expected)
    assert BlurDown()(checkerboard(16)).abs().max() < 1e-6
    torch.testing.assert_close(BlurDown()(torch.ones(1, 1, 6, 6)), torch.ones(1, 1, 3, 3))


@pytest.mark.parametrize(("antialias", "power"), [(False, 1.0), (True, 0.0)])
def test_detail_too_fine_for_the_coarse_scale_turns_to_structure_only_without_antialias(
    antialias, power
):
    # a checkerboard through convolutions that pass it on: strided, it becomes a flat field, whose
    # sign depends on where the coarse grid happens to lie
    network = small(antialias, base_channels=1)
    with torch.no_grad():
        network.downs[0].weight.zero_()[:, :, 1, 1] = 1
        network.downs[0].bias.zero_()
    network.settles[0][0], network.settles[0][1] = nn.Identity(), nn.Identity()
    board = checkerboard(32)
    coarse = [network.settles[0](network.downs[0](image)) for image in (board, -board)]
    inner = [features[..., 2:-2, 2:-2] for features in coarse]
    assert inner[0].shape[-1] == 12
    assert float(inner[0].square().mean()) == pytest.approx(power, abs=1e-9)
    assert float((inner[0] - inner[1]).abs().max()) == pytest.approx(2 * power, abs=1e-6)


def test_upsampling_is_cuts_binomial_of_four_taps():
    image = torch.randn(1, 3, 5, 7)
    upsample = next(m for m in small(antialias=True).leave if isinstance(m, nn.Upsample))
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = (4 * torch.outer(taps, taps) / 64).expand(3, 1, 4, 4)
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    spread = functional.conv_transpose2d(padded, kernel, stride=2, padding=3, groups=3)
    torch.testing.assert_close(upsample(image), spread)


def test_no_norm_has_weights_and_nothing_drops_out():
    network = ResnetGenerator(3, 2)
    norms = [m for m in network.modules() if isinstance(m, nn.InstanceNorm2d)]
    assert len(norms) == 3 + 2 * 3 + 2
    assert not any(list(norm.parameters()) or list(norm.buffers()) for norm in norms)
    assert not any(isinstance(m, nn.Dropout) for m in network.modules())


def test_starting_weights_follow_their_papers():
    torch.manual_seed(0)
    normal, xavier = ResnetGenerator(3, 32), ResnetGenerator(3, 32, initialisation="xavier")
    blocks = [network.blocks[1].residual[1] for network in (normal, xavier)]
    # fan in and fan out are both 9 * 128; 147456 weights: 0.2 % standard error
    for block, sd in zip(blocks, (0.02, 0.02 * (2 / (2 * 9 * 128)) ** 0.5), strict=True):
        assert float(block.weight.detach().std()) == pytest.approx(sd, rel=0.01)
        assert not bool(block.bias.any())
    with pytest.raises(CryoccdError, match="initialisation = 'kaiming', expected normal or xavier"):
        initialise(normal, "kaiming")


def test_misfits_are_refused():
    for arguments in ((2, 4), (3, 0)):
        with pytest.raises(CryoccdError, match="expected n_blocks >= 3 and base_channels >= 1"):
            ResnetGenerator(*arguments)
    for n_levels in (0, 6):
        with pytest.raises(CryoccdError, match="feature levels, expected 1 to 5"):
            small(antialias=False).encode(torch.zeros(1, 1, 8, 8), n_levels)
