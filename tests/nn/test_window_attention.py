import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.nn.window_attention import WindowAttention

BOTH = pytest.mark.parametrize("shifted", [False, True])


def lively(shifted: bool, channels: int = 8) -> WindowAttention:
    torch.manual_seed(0)
    block = WindowAttention(channels, shifted=shifted)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, 0, 0.5)
    return block.eval().requires_grad_(False)


@BOTH
def test_what_is_gathered_is_added_to_the_features(shifted):
    block = lively(shifted)
    features = torch.randn(2, 8, 13, 20)
    assert (block(features) - features).abs().max() > 0.1
    block.out.weight.zero_()
    block.out.bias.zero_()
    assert torch.equal(block(features), features)


def reached(*blocks: WindowAttention) -> torch.Tensor:
    """(32, 32) bool, where the pixel (7, 18) of 32 x 32 is seen."""
    for block in blocks:
        block.norm = torch.nn.Identity()  # it would couple all pixels
    image = torch.randn(1, 8, 32, 32, requires_grad=True)
    (torch.nn.Sequential(*blocks)(image)[0, :, 7, 18]).sum().backward()
    return image.grad[0].abs().sum(0) > 0


def test_windows_end_at_multiples_of_8_and_shifted_ones_half_way_between():
    plain, moved = reached(lively(False)), reached(lively(True))
    expected = torch.zeros(2, 32, 32, dtype=torch.bool)
    expected[0, 0:8, 16:24] = True
    expected[1, 4:12, 12:20] = True
    assert torch.equal(torch.stack([plain, moved]), expected)


def test_both_kinds_in_a_row_see_across_every_border():
    seen = reached(lively(False), lively(True))
    assert bool(seen[0:16, 8:24].all())  # all windows that the shifted one touches
    assert int(seen.sum()) == 16 * 16


def lattice(*blocks: WindowAttention) -> float:
    """Mean step of what is gathered across borders of unshifted windows over that elsewhere."""
    generator = torch.Generator().manual_seed(1)
    # smooth over several windows: what lies beyond a border is much like what lies before it
    noise = torch.fft.rfft2(torch.randn(8, 8, 64, 64, generator=generator))
    rows, columns = torch.fft.fftfreq(64)[:, None], torch.fft.rfftfreq(64)
    features = torch.fft.irfft2(noise * torch.exp(-(rows**2 + columns**2) / (2 * 0.02**2)))
    features = features / features.std()
    steps = (torch.nn.Sequential(*blocks)(features) - features).diff(dim=-1).abs()
    at_border = torch.arange(63) % 8 == 7
    return float(steps[..., at_border].mean() / steps[..., ~at_border].mean())


def test_shifted_windows_carry_over_the_borders():
    alone, after = lattice(lively(False)), lattice(lively(False), lively(True))
    assert alone > 2  # the measure sees the lattice where it is
    assert after < 0.75 * alone


@BOTH
@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (9, 30)])
def test_any_size(shifted, shape):
    block = lively(shifted)
    features = torch.randn(2, 8, *shape)
    gathered = block(features)
    assert gathered.shape == features.shape
    assert gathered.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_the_same_but_for_rounding(dtype):
    block = lively(True)
    features = torch.randn(1, 8, 24, 24)
    with torch.autocast("cpu", dtype=dtype):
        half = block(features.to(dtype)) - features
    full = block(features) - features
    assert float((half - full).norm() / full.norm()) < 0.05


def test_heads_must_divide_the_channels():
    with pytest.raises(CryoccdError, match="heads = 4 does not divide 6 channels"):
        WindowAttention(6)
