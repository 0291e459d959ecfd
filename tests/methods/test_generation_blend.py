"""Boxes in a background: exact shares, and no seam that a statistic could find."""

from itertools import permutations

import numpy as np
import pytest
import torch
from blob_generator import BackgroundGenerator, fitted
from scipy import stats

from cryoccd.imaging.volume_psd import random_volume
from cryoccd.methods.generation.blend import Blend, shares
from cryoccd.verify.tomograms.cubes import distance

SIDE = 24
RADIUS, MARGIN, RIM = 3.0, 1.0, 8.0


def background(reach: int = 8, length: float = 1.0) -> torch.Tensor:
    """Autocorrelation of noise smoothed by a Gaussian of `length` voxels."""
    lags = torch.fft.fftfreq(2 * reach, 1 / (2 * reach), dtype=torch.float64)
    radius = (lags[:, None, None] ** 2 + lags[:, None] ** 2 + lags**2).sqrt()
    taper = torch.where(radius < reach, 0.5 + 0.5 * torch.cos(torch.pi * radius / reach), 0.0)
    return torch.exp(-(radius**2) / (4 * length**2)) * taper


def noise(shape, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_one_box_is_the_blend_of_squares_that_sum_to_one():
    field, box = noise((40, 40, 40), 0), noise((SIDE,) * 3, 1)
    blend = Blend(field.clone())
    blend.add(box, shares(SIDE, RADIUS, MARGIN, RIM), np.array([20, 18, 22]))
    volume = blend.volume()
    inside = slice(10, 34), slice(6, 30), slice(8, 32)  # z, y, x
    theta = ((distance(SIDE) - RADIUS - MARGIN) / RIM).clamp(0, 1) * torch.pi / 2
    expected = field[inside] * theta.sin() + box * theta.cos()
    assert float((volume[inside] - expected).abs().max()) < 5e-3  # a core has a thousandth of it
    outside = torch.ones(40, 40, 40, dtype=torch.bool)
    outside[inside] = distance(SIDE) > RADIUS + MARGIN + RIM
    assert torch.equal(volume[outside], field[outside])


@pytest.mark.parametrize(("radius", "rim"), [(3.0, 30.0), (9.5, 2.0), (14.0, 6.0)])
def test_a_box_ends_at_its_inscribed_sphere(radius, rim):
    found = shares(SIDE, radius, MARGIN, rim)
    assert float(found[distance(SIDE) >= SIDE / 2].max()) == 0
    assert float(found.max()) == pytest.approx(1000, rel=1e-3)
    ring = (distance(SIDE) > SIDE / 2 - 2.9) & (distance(SIDE) < SIDE / 2 - 0.5)
    assert 0 < float(found[ring].min()) < float(found[ring].max()) < 1000
    along = found[SIDE // 2, SIDE // 2, SIDE // 2 :]
    assert bool((along.diff() <= 0).all())


def test_order_does_not_matter_and_cores_stay():
    window = shares(SIDE, RADIUS, MARGIN, RIM)
    boxes = [noise((SIDE,) * 3, seed) for seed in range(3)]
    centres = [np.array([16, 16, 16]), np.array([24, 16, 16]), np.array([2, 30, 18])]  # x, y, z
    made = []
    for order in permutations(range(3)):
        blend = Blend(noise((32, 36, 40), 9))
        for k in order:
            blend.add(boxes[k], window, centres[k])
        made.append(blend.volume())
    assert all(torch.allclose(volume, made[0], atol=1e-5) for volume in made)
    core = distance(9) < RADIUS
    for k in (0, 1):  # rims of each reach the middle of the other
        x, y, z = centres[k]
        cut = (slice(z - 4, z + 5), slice(y - 4, y + 5), slice(x - 4, x + 5))
        inner = boxes[k][8:17, 8:17, 8:17]
        assert float((made[0][cut] - inner)[core].abs().max()) < 0.01
    far = Blend(noise((8, 8, 8), 0))
    far.add(boxes[0], window, np.array([50, 4, 4]))
    assert torch.equal(far.volume(), noise((8, 8, 8), 0))


def linear(side, *sizes):
    """The plain cross-fade, whose shares and not their squares sum to 1."""
    theta = shares(side, *sizes).reciprocal().atan() / (torch.pi / 2)
    return 1 - theta


@pytest.fixture(scope="module")
def pasted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pure background with pasted pure background, the same by a cross-fade, and θ."""
    known = background()
    model = fitted(BackgroundGenerator(known), side=SIDE)
    window = shares(SIDE, RADIUS, MARGIN, RIM)
    draws = [torch.Generator().manual_seed(1000 + k) for k in range(64)]
    boxes = model.sample(torch.zeros(64), torch.zeros(64, 3), draws)[:, 0]
    volumes, faded = [], []
    for seed, box in enumerate(boxes):
        field = random_volume(known, (SIDE + 8,) * 3, torch.Generator().manual_seed(seed))
        blend = Blend(field.clone())
        blend.add(box, window, np.full(3, 16))
        volumes.append(blend.volume().numpy())
        share = torch.zeros_like(field)
        share[4:28, 4:28, 4:28] = linear(SIDE, RADIUS, MARGIN, RIM)
        inner = torch.zeros_like(field)
        inner[4:28, 4:28, 4:28] = box
        faded.append((field * (1 - share) + inner * share).numpy())
    theta = ((distance(SIDE + 8) - RADIUS - MARGIN) / RIM).numpy()
    return np.stack(volumes), np.stack(faded), theta


def test_variance_across_the_rim_is_that_of_the_background(pasted):
    volumes, faded, theta = pasted
    rim, away = (theta > 0.2) & (theta < 0.8), theta > 1.2
    # 64 x 1600 voxels, each correlated with 11: standard error 1.5 %
    assert volumes[:, rim].var() / volumes[:, away].var() == pytest.approx(1, abs=0.05)
    assert faded[:, rim].var() / faded[:, away].var() < 0.75  # a planted seam


def test_correlations_across_the_rim_are_those_of_the_background(pasted):
    volumes, _, theta = pasted
    rim, away = (theta > 0.2) & (theta < 0.8), theta > 1.2
    for lag in (1, 2):
        for axis in (0, 1, 2):
            moved = np.roll(volumes, -lag, axis + 1)
            angles = np.cos((np.roll(theta, -lag, axis) - theta)[rim] * np.pi / 2)
            inside = np.ones_like(theta, bool)
            inside[(slice(None),) * axis + (slice(-lag, None),)] = False
            there = (volumes * moved)[:, rim & inside].mean()
            elsewhere = (volumes * moved)[:, away & inside].mean()
            known = float(background()[(0,) * axis + (lag,)][(0,) * (2 - axis)])
            assert elsewhere == pytest.approx(known, abs=0.03)
            assert there == pytest.approx(known * angles.mean(), abs=0.03)
            assert angles.mean() > (0.99 if lag == 1 else 0.97)


def test_voxels_of_the_rim_cannot_be_told_from_others(pasted):
    volumes, faded, theta = pasted
    chosen = np.zeros(theta.shape, bool)
    chosen[::4, ::4, ::4] = True  # four lengths apart: independent
    rim, away = chosen & (theta > 0.2) & (theta < 0.8), chosen & (theta > 1.2)
    assert stats.ks_2samp(volumes[:, rim].ravel(), volumes[:, away].ravel()).pvalue > 0.01
    assert stats.ks_2samp(faded[:, rim].ravel(), faded[:, away].ravel()).pvalue < 1e-3
