import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.patch_discriminator import PatchDiscriminator
from cryoccd.nn.reflect_pad import reflect_pad
from cryoccd.nn.unet_generator import UNetGenerator


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_defaults_have_the_papers_size():
    with torch.device("meta"):
        generator, discriminator = UNetGenerator(), PatchDiscriminator()
        head = FeatureHead(generator.widths[:5])
    assert count(generator) == 79_571_329
    assert count(discriminator) == 11_030_401
    assert count(head) == 707_072
    assert head.channels == (64, 128, 256, 512, 512)


def test_shapes_at_the_papers_size():
    image = torch.zeros(1, 1, 1024, 1024, device="meta")
    with torch.device("meta"):
        generator, discriminator = UNetGenerator(), PatchDiscriminator()
    features = generator.encode(image, 5)
    assert [tuple(f.shape[1:]) for f in features] == [
        (64, 512, 512),
        (128, 256, 256),
        (256, 128, 128),
        (512, 64, 64),
        (512, 32, 32),
    ]
    assert generator(image).shape == image.shape
    assert discriminator(image).shape == (1, 1, 126, 126)


def test_discriminator_patch_is_70_pixels():
    torch.manual_seed(0)
    layers = [m for m in PatchDiscriminator(2).layers if isinstance(m, torch.nn.Conv2d)]
    image = torch.zeros(1, 1, 256, 256, requires_grad=True)
    torch.nn.Sequential(*layers)(image)[0, 0, 15, 15].backward()  # norms would couple all pixels
    seen = image.grad[0, 0].abs().sum(0).nonzero()[:, 0]
    assert int(seen.max() - seen.min()) + 1 == 70


def test_features_follow_the_leaky_relu_and_equal_those_of_the_whole_pass():
    torch.manual_seed(0)
    generator = UNetGenerator(depth=4, base_channels=4)
    image = torch.randn(2, 1, 32, 48)
    raw = []
    for down in generator.downs:
        down.register_forward_hook(lambda _module, _input, output: raw.append(output))
    whole = generator(image)
    of_the_whole, raw = raw, []
    features = generator.encode(image, 3)
    for feature, before in zip(features, of_the_whole, strict=False):
        assert torch.equal(feature, torch.where(before > 0, before, 0.2 * before))
    assert whole.abs().max() <= 1


def test_encode_leaves_the_decoder_alone():
    generator = UNetGenerator(depth=3, base_channels=4)
    sum(f.sum() for f in generator.encode(torch.randn(1, 1, 16, 16), 2)).backward()
    assert all(p.grad is None for p in generator.ups.parameters())
    assert all(p.grad is None for p in generator.downs[2].parameters())


def test_no_norm_at_the_first_the_innermost_and_the_output_level():
    generator = UNetGenerator(depth=4, base_channels=2)

    def normed(blocks):
        return [any(isinstance(m, torch.nn.InstanceNorm2d) for m in b) for b in blocks]

    assert normed(generator.downs) == [False, True, True, False]
    assert normed(generator.ups) == [False, True, True, True]
    assert not any(p.ndim == 1 and p.numel() == 0 for p in generator.parameters())


@pytest.mark.parametrize("shape", [(20, 33), (1, 5), (64, 7), (16, 16)])
def test_any_side_is_translated(shape):
    generator = UNetGenerator(depth=4, base_channels=2)
    result = generator(torch.randn(1, 1, *shape))
    assert result.shape[-2:] == shape
    assert result.isfinite().all()


def test_generator_treats_images_of_a_batch_apart():
    torch.manual_seed(0)
    generator = UNetGenerator(depth=3, base_channels=4)
    images = torch.randn(2, 1, 16, 16)
    alone = generator(images[:1])
    images[1, 0, 3, 3] = 1e4
    torch.testing.assert_close(generator(images)[:1], alone)


def test_wrong_sizes_are_refused():
    with pytest.raises(CryoccdError, match="depth = 1"):
        UNetGenerator(depth=1)
    with pytest.raises(CryoccdError, match="4 feature levels, expected 1 to 3"):
        UNetGenerator(depth=3, base_channels=1).encode(torch.zeros(1, 1, 8, 8), 4)
    with pytest.raises(CryoccdError, match="n_strided = 0"):
        PatchDiscriminator(n_strided=0)
    with pytest.raises(CryoccdError, match="channels"):
        FeatureHead([])


def test_head_gives_unit_vectors_from_its_own_mlp_per_level():
    torch.manual_seed(0)
    head = FeatureHead([3, 5], width=8)
    first, second = head([torch.randn(2, 7, 3), torch.randn(2, 7, 5)])
    assert first.shape == second.shape == (2, 7, 8)
    torch.testing.assert_close(first.norm(dim=-1), torch.ones(2, 7))
    with pytest.raises(ValueError, match="zip"):
        head([torch.randn(1, 1, 3)])


def test_reflect_pad_agrees_with_torch_and_goes_beyond_it():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    torch.testing.assert_close(
        reflect_pad(image, 5, 7), torch.nn.functional.pad(image, (0, 3, 0, 2), mode="reflect")
    )
    far = reflect_pad(image, 3, 12)[0, 0, 0]
    assert far.tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]
    with pytest.raises(CryoccdError, match="below the image"):
        reflect_pad(image, 2, 4)
