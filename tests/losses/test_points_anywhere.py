import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.losses.mask_points import draw_points, features_at, sample_points


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_all_points_of_a_level_are_its_pixels_each_once():
    pixels = torch.arange(35.0).reshape(1, 1, 5, 7).expand(2, 1, 5, 7)
    points = draw_points(pixels, 35, seeded(0, 1))
    assert points.shape == (2, 35, 2)
    for mode in ("nearest", "bilinear"):
        values = features_at(pixels, points, mode)[..., 0]
        torch.testing.assert_close(
            values.sort(-1).values, torch.arange(35.0).expand(2, 35), atol=1e-4, rtol=0
        )
    assert not torch.equal(points[0], points[1])


def test_points_are_uniform():
    level = torch.zeros(200, 1, 4, 6)
    points = draw_points(level, 6, seeded(*range(200)))
    x, y = ((points + 1) * torch.tensor([6, 4]) - 1).div(2).round().long().unbind(-1)
    counts = torch.bincount((6 * y + x).flatten(), minlength=24)
    # 1200 draws over 24 pixels; variance of a draw without replacement: 200 * 1/4 * 3/4
    assert float((counts - 50).abs().max()) < 5 * 37.5**0.5


def test_points_mean_the_same_place_at_every_size():
    ramp = torch.arange(64.0).expand(64, 64)[None, None]
    coarse = torch.nn.functional.avg_pool2d(ramp, 4)
    points = draw_points(coarse, 30, seeded(3))
    torch.testing.assert_close(
        features_at(coarse, points, "bilinear"), features_at(ramp, points, "bilinear")
    )


def test_points_of_an_image_do_not_depend_on_its_batch():
    mask = (torch.rand(3, 1, 16, 12, generator=seeded(9)[0]) > 0.7).float()
    mask[0] = 0  # draws fewer numbers than the others
    batch, alone = sample_points(mask, 20, seeded(4, 5, 6)), sample_points(mask[2:], 20, seeded(6))
    assert torch.equal(batch.particle[2:], alone.particle)
    assert torch.equal(batch.background[2:], alone.background)
    drawn = draw_points(mask, 8, seeded(4, 5, 6))
    assert torch.equal(drawn[2:], draw_points(mask[2:], 8, seeded(6)))


def test_every_image_needs_its_generator_and_a_level_enough_pixels():
    with pytest.raises(ValueError, match="zip"):
        sample_points(torch.zeros(2, 1, 4, 4), 3, seeded(0))
    with pytest.raises(ValueError, match="zip"):
        draw_points(torch.zeros(2, 1, 4, 4), 3, seeded(0))
    with pytest.raises(CryoccdError, match="n_points = 17, but a feature level has 4 x 4 pixels"):
        draw_points(torch.zeros(1, 1, 4, 4), 17, seeded(0))
