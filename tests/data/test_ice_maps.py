"""Ice: a gradient put in is found again; transmission follows its closed form."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from cryoccd.data.ice_maps import GRID, cached_ice, estimate_ice, transmission, upsample
from cryoccd.errors import CryoccdError


def micrograph(height: int = 400, width: int = 320) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij"
    )
    gradient = columns + 0.5 * rows
    return gradient, 100 + 5 * gradient + torch.randn(height, width, generator=generator)


def test_the_gradient_is_found() -> None:
    gradient, image = micrograph()
    ice = estimate_ice(image, pixel_size_A=3.0, seed=0)
    assert ice.shape == (GRID, GRID)
    assert ice.dtype == torch.float32
    assert float(ice.max()) == 1
    assert float(ice.min()) > 0
    fine = upsample(ice, gradient.shape)
    assert fine.shape == gradient.shape
    assert float(fine.max()) <= 1
    assert spearmanr(fine.flatten(), gradient.flatten()).statistic > 0.97


def test_scale_offset_and_hot_pixels_do_not_matter() -> None:
    _, image = micrograph()
    ice = estimate_ice(image, 3.0, seed=0)
    torch.testing.assert_close(estimate_ice(7 * image - 3000, 3.0, seed=0), ice, atol=0.02, rtol=0)
    image[17, 33] = 1e8
    torch.testing.assert_close(estimate_ice(image, 3.0, seed=0), ice, atol=0.02, rtol=0)


def test_a_flat_field_is_flatter_than_a_gradient() -> None:
    _, image = micrograph()
    flat = torch.randn(400, 320, generator=torch.Generator().manual_seed(1))
    assert float(estimate_ice(flat, 3.0, 0).min()) > 2 * float(estimate_ice(image, 3.0, 0).min())


def test_seeded() -> None:
    _, image = micrograph()
    assert torch.equal(estimate_ice(image, 3.0, 5), estimate_ice(image, 3.0, 5))


def test_constant_micrograph() -> None:
    with pytest.raises(CryoccdError, match="constant"):
        estimate_ice(torch.ones(64, 64), 3.0, 0)


def test_cache_is_keyed_by_content_and_seed(tmp_path: Path) -> None:
    _, image = micrograph(64, 64)
    first = cached_ice(image, 3.0, 0, tmp_path)
    (path,) = tmp_path.iterdir()
    marked = torch.full((GRID, GRID), 0.5)
    np.save(path, marked.numpy())
    assert torch.equal(cached_ice(image, 3.0, 0, tmp_path), marked)  # it is read, not made again
    for other in ((image + 1, 3.0, 0), (image, 3.1, 0), (image, 3.0, 1)):
        cached_ice(*other, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    for broken in (b"", b"garbage", path.read_bytes()[:200]):
        path.write_bytes(broken)
        assert torch.equal(cached_ice(image, 3.0, 0, tmp_path), first)
    assert torch.equal(torch.from_numpy(np.load(path)), first)
    assert torch.equal(cached_ice(image, 3.0, 0, None), first)


def test_transmission() -> None:
    thickness_A = torch.tensor([[300.0, 600.0], [1200.0, 300.0]])
    ice = transmission(thickness_A)
    assert float(ice.max()) == 1
    assert float(ice[0, 1]) == pytest.approx(math.exp(-300 / 3000))
    assert float(transmission(thickness_A, 300.0)[1, 0]) == pytest.approx(math.exp(-3))
