import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.nn.tiling import translate_tiled
from cryoccd.nn.unet_generator import UNetGenerator

TILE, OVERLAP, STEP = 80, 32, 48  # the step shares no factor 2^k with the network's own lattice


def random_generator() -> UNetGenerator:
    torch.manual_seed(0)
    network = UNetGenerator(depth=3, base_channels=8)
    for parameter in network.parameters():  # as lively as a trained one
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
        else:
            torch.nn.init.normal_(parameter, 0, 0.3)
    return network.eval()


@torch.no_grad()
def fields() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Whole pass, blended tiles and butted tiles of 24 ramps with noise, 240 = 5 steps wide."""
    network = random_generator()
    generator = torch.Generator().manual_seed(1)
    side = TILE + 4 * STEP
    noise = torch.randn(24, 1, side, side, generator=generator)
    inputs = noise + 0.5 * torch.linspace(-1, 1, side)[:, None]
    whole = network(inputs)
    tiled = translate_tiled(network, inputs, TILE, OVERLAP, align_px=8)
    butted = torch.zeros_like(whole)
    for top in range(0, side, STEP):
        for left in range(0, side, STEP):
            window = (..., slice(top, top + STEP), slice(left, left + STEP))
            butted[window] = network(inputs[window])
    return tuple(image[:, 0, 16:256, 16:256] for image in (whole, tiled, butted))


def line_excess(images: torch.Tensor) -> tuple[float, float]:
    """Power at the tile frequencies over that beside them: all of the lines, and on the axis."""
    n = images.shape[-1]
    window = torch.hann_window(n)
    images = (images - images.mean((1, 2), keepdim=True)) * torch.outer(window, window)
    power = torch.fft.rfft2(images).abs().square().mean(0)
    # without the harmonics that fall onto the stride-8 lattice of the transposed convolutions
    lines = torch.tensor([j * n // STEP for j in range(1, STEP // 2) if j % 6])
    excess = []
    for rows in (power[3:-3], power[:3]):
        beside = (rows[:, lines - 2] + rows[:, lines + 2]) / 2
        excess.append(float(rows[:, lines].mean() / beside.mean()))
    return excess[0], excess[1]


def test_no_seam_shows_in_the_spectrum():
    whole, tiled, butted = (line_excess(image) for image in fields())
    assert butted[0] > 1.05  # the measure sees seams where there are some
    assert butted[1] > 2
    # 19 lines x 234 rows x 24 images: 0.4 % standard error; on the axis 19 x 3 x 24: 4 %
    assert tiled[0] == pytest.approx(1, abs=0.02)
    assert tiled[1] == pytest.approx(1, abs=0.15)
    assert tiled == pytest.approx(whole, abs=0.02)


def test_overlaps_keep_the_variance():
    whole, tiled, _ = fields()
    by_phase = [image.var(dim=(0, 1)).reshape(5, STEP).mean(0) for image in (tiled, whole)]
    ratio = by_phase[0] / by_phase[1]
    assert float(ratio.min()) > 0.96
    assert float(ratio.max()) < 1.04


@pytest.mark.parametrize("shape", [(200, 328), (64, 65), (63, 500), (129, 257)])
def test_local_function_is_the_same_tiled_and_whole(shape):
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(2, 1, 5, padding=2).requires_grad_(False)
    inputs = torch.randn(2, 2, *shape)
    whole = convolution(inputs)
    tiled = translate_tiled(convolution, inputs, tile_px=64, overlap_px=16)
    assert tiled.shape == whole.shape
    torch.testing.assert_close(tiled[..., :-2, :-2], whole[..., :-2, :-2], atol=1e-5, rtol=1e-5)


def test_weights_sum_to_one_however_the_sizes_fall():
    for side in range(60, 330, 7):
        ones = torch.ones(1, 1, side, 40)
        for overlap in (2, 16, 32):
            result = translate_tiled(lambda x: x, ones, 64, overlap)
            torch.testing.assert_close(result, ones)


def test_tiles_are_aligned_of_one_size_and_see_the_same_noise():
    seen = []

    def spy(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tile)
        return tile

    y, x = torch.meshgrid(torch.arange(150.0), torch.arange(90.0), indexing="ij")
    result = translate_tiled(spy, (1000 * y + x)[None, None], 64, 16, align_px=8)
    origins = [divmod(int(tile[0, 0, 0, 0]), 1000) for tile in seen]
    assert {tile.shape for tile in seen} == {(1, 1, 64, 64)}
    assert all(row % 8 == 0 and col % 8 == 0 for row, col in origins)
    torch.testing.assert_close(result[0, 0], 1000 * y + x)  # the overlaps held the same input


def test_what_fits_goes_through_in_one_pass():
    calls = []
    translate_tiled(lambda x: calls.append(x.shape) or x, torch.zeros(1, 1, 64, 50), 64, 16)
    assert calls == [(1, 1, 64, 50)]


@pytest.mark.parametrize("sizes", [(64, 33, 1), (64, 0, 1), (60, 16, 8), (64, 12, 8)])
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(CryoccdError, match="tiling: tile_px"):
        translate_tiled(lambda x: x, torch.zeros(1, 1, 8, 8), *sizes)
