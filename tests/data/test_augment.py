"""The eight symmetries permute pixels, and those of one side together."""

import numpy as np
import pytest
import torch
from kornia.augmentation import RandomRotation90

from cryoccd.data.augment import HALF_TURN, SYMMETRIES, DrawnBatch, augment, draw_symmetry
from cryoccd.data.augment import transform as apply
from cryoccd.errors import CryoccdError

N = 9


def coded(b: int = 8) -> torch.Tensor:
    """Every pixel has a value of its own that single precision holds exactly."""
    return torch.arange(b * N * N, dtype=torch.float32).reshape(b, 1, N, N) * 0.1


def batch(symmetry: torch.Tensor, real_mask: bool = True) -> DrawnBatch:
    clean, real = coded(), -coded()
    return DrawnBatch(
        clean=clean,
        mask=clean + 1,
        ice=clean + 2,
        real=real,
        real_mask=real + 1 if real_mask else None,
        pixel_size_A=torch.ones(8),
        style=torch.zeros(8, dtype=torch.int64),
        symmetry=symmetry,
    )


def test_the_eight_are_those_of_the_square() -> None:
    image = coded(1)
    turned = [image.rot90(k, (-2, -1)) for k in range(4)]
    expected = turned + [view.flip(-1) for view in turned]
    found = [apply(image, torch.tensor([s])) for s in range(8)]
    assert torch.equal(found[0], image)
    assert torch.equal(found[HALF_TURN], turned[2])
    assert all(sum(torch.equal(f, e) for f in found) == 1 for e in expected)
    assert len(SYMMETRIES) == 8


def test_pixels_are_permuted_exactly() -> None:
    images = coded()
    out = apply(images, torch.arange(8))
    assert not torch.equal(out, images)
    assert torch.equal(out.flatten(1).sort().values, images.flatten(1).sort().values)


def test_why_the_rotation_of_kornia_is_not_used() -> None:
    noise = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    turned = RandomRotation90(times=(1, 1), p=1.0)(noise)
    assert not torch.equal(turned, noise.rot90(1, (-2, -1)))


@pytest.mark.parametrize("real_mask", [True, False])
def test_each_side_moves_as_one(real_mask: bool) -> None:
    symmetry = torch.stack([torch.arange(8), torch.arange(8).flip(0)], dim=1)
    before = batch(symmetry, real_mask)
    after = augment(before)
    assert torch.equal(after.mask, after.clean + 1)
    assert torch.equal(after.ice, after.clean + 2)
    assert torch.equal(after.clean, apply(before.clean, symmetry[:, 0]))
    assert torch.equal(after.real, apply(before.real, symmetry[:, 1]))
    assert not torch.equal(after.real, -after.clean)  # the sides are independent
    if real_mask:
        assert after.real_mask is not None
        assert torch.equal(after.real_mask, after.real + 1)
    else:
        assert after.real_mask is None
    again = augment(after)  # what was applied is not applied twice
    assert torch.equal(again.clean, after.clean)


def test_draws() -> None:
    rng = np.random.default_rng(0)
    free = torch.stack([draw_symmetry(rng, rotate_real=True) for _ in range(400)])
    assert all(len(side.unique()) == 8 for side in free.unbind(1))
    held = torch.stack([draw_symmetry(rng, rotate_real=False) for _ in range(400)])
    assert len(held[:, 0].unique()) == 8
    assert held[:, 1].unique().tolist() == [0, HALF_TURN]


def test_symmetries_left_to_an_anisotropic_side_keep_its_power_spectrum() -> None:
    image = torch.randn(1, 1, N, N, generator=torch.Generator().manual_seed(0)).double()
    power = torch.fft.fft2(image).abs()
    for symmetry in range(8):
        same = torch.allclose(torch.fft.fft2(apply(image, torch.tensor([symmetry]))).abs(), power)
        assert same == (symmetry in (0, HALF_TURN))


def test_square_crops_only() -> None:
    with pytest.raises(CryoccdError, match="square"):
        apply(torch.zeros(1, 1, 4, 6), torch.tensor([0]))
