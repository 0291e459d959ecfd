"""What a picker sees: where, on which scale, and what ruined areas do to it."""

import numpy as np
import pytest
import torch

from cryoccd.downstream.picking.front import Front, Grid
from cryoccd.downstream.picking.peaks import find_peaks
from cryoccd.errors import CryoccdError


def blobs(shape, centres, sigma):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for cx, cy in centres:
        image -= np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2))
    return image


def textured(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("across", [11.3, 20.0, 41.0, 80.5])
def test_positions_come_back_to_a_tenth_of_a_pixel(across):
    """A crowd of blobs, none on a pixel centre; sides that are no multiple of anything."""
    shape = (round(11.3 * across), round(12.1 * across))
    rng = np.random.default_rng(0)
    lattice = np.stack(np.meshgrid(*2 * [np.arange(1.0, 11.0, 1.4)]), -1).reshape(-1, 2)
    centres = across * (lattice + rng.uniform(-0.05, 0.05, lattice.shape))
    image = blobs(shape, centres, across / 3)
    seen, grid = Front(4.0 * across, 20.0).see(image.astype(np.float32), 4.0)
    found = grid.to_full(find_peaks(-seen, 10.0).positions_px)
    nearest = found[np.linalg.norm(found[None] - centres[:, None], axis=2).argmin(1)]
    assert np.abs((nearest - centres).mean(0)).max() < 0.1
    assert np.abs(nearest - centres).max() < max(0.1, 0.02 * across)


def test_a_half_keeps_the_outer_edges():
    grid = Grid((8, 12), (4, 6))
    np.testing.assert_allclose(
        grid.to_full(np.array([[0.0, 0.0], [5.0, 3.0]])), [[0.5, 0.5], [10.5, 6.5]]
    )
    positions = np.random.default_rng(0).uniform(0, 8, (20, 2))
    np.testing.assert_allclose(grid.to_full(grid.to_seen(positions)), positions)


def test_particles_have_the_asked_size_at_any_pixel_size():
    front = Front(150.0, 20.0)
    for pixel_size_A in (1.0, 2.5, 4.0):
        side = round(1500 / pixel_size_A)
        seen, _ = front.see(textured((side, side)), pixel_size_A)
        assert tuple(seen.shape) == (200, 200)


def test_gain_and_offset_do_not_matter():
    image, front = textured((200, 240)), Front(80.0, 10.0)
    first = front.see(image, 4.0)[0]
    second = front.see((1000 + 37 * image.astype(np.float64)).astype(np.float32), 4.0)[0]
    torch.testing.assert_close(first, second, atol=2e-3, rtol=0)


def test_uneven_light_and_contrast_are_flattened():
    image = textured((400, 400))
    uneven = np.linspace(1, 3, 400)[:, None] * image + np.linspace(0, 8, 400)
    seen = Front(80.0, 10.0).see(uneven.astype(np.float32), 4.0)[0]
    quarters = [q for half in seen.chunk(2) for q in half.chunk(2, 1)]
    assert all(abs(float(q.mean())) < 0.1 for q in quarters)
    assert all(abs(float(q.std()) - 1) < 0.1 for q in quarters)


def test_ruined_areas_and_hot_pixels_leave_the_rest_as_it_is():
    image, front = textured((400, 400)), Front(80.0, 10.0)
    ruined = image.copy()
    ruined[100:130, 100:130] = 50  # a contaminant of one and a half diameters
    ruined[300, 300] = 1e6
    ruined[:, 395:] = 0  # a blank border
    whole, torn = front.see(image, 4.0)[0], front.see(ruined, 4.0)[0]
    assert bool(torn.isfinite().all())
    change = (whole - torn).abs()
    near = torch.zeros_like(change, dtype=torch.bool)
    near[48:67, 48:67] = near[148:153, 148:153] = True
    near[:, 195:] = True
    assert float(change[~near].max()) < 0.6
    assert float(change[~near].square().mean().sqrt()) < 0.1


@pytest.mark.parametrize(
    ("diameter_A", "message"), [(8.0, "2.0 px"), (4000.0, "1000.0 px"), (float("nan"), "above 0")]
)
def test_a_particle_of_an_impossible_size_is_refused(diameter_A, message):
    with pytest.raises(CryoccdError, match=message):
        Front(diameter_A).see(textured((100, 100)), 4.0)


def test_an_image_that_is_not_finite_is_refused():
    image = textured((100, 100))
    image[3, 4] = np.nan
    with pytest.raises(CryoccdError, match="not finite"):
        Front(80.0).see(image, 4.0)
