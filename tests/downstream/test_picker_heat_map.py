"""Targets and loss against their formulas."""

import numpy as np
import pytest
import torch

from cryoccd.downstream.picking.heat_map import heat_map, heat_map_loss


def test_overlapping_particles_take_the_larger_gaussian():
    rng = np.random.default_rng(0)
    centres, sigma = rng.uniform(-6, 36, (12, 2)), 2.5
    y, x = np.mgrid[:24, :30]
    each = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * sigma**2)) for a, b in centres]
    found = heat_map((24, 30), torch.from_numpy(centres), sigma)
    np.testing.assert_allclose(found.numpy(), np.max(each, axis=0), atol=4e-4)  # 4 sigma


def test_no_particle_no_heat():
    assert not heat_map((5, 6), torch.zeros(0, 2, dtype=torch.float64), 1.0).any()


@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_the_loss_is_the_weighted_cross_entropy(weight):
    logits, target = torch.randn(2, 1, 5, 5), torch.rand(2, 1, 5, 5)
    p = logits.double().sigmoid()
    expected = -(weight * target * p.log() + (1 - target) * (1 - p).log()).mean()
    torch.testing.assert_close(heat_map_loss(logits, target, weight).double(), expected)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_the_best_constant_rises_with_the_expected_heat(weight):
    candidates = torch.linspace(0.005, 0.995, 199)
    for highest in (0.2, 0.6, 1.0):
        target = highest * torch.rand(200, generator=torch.Generator().manual_seed(0))
        losses = [heat_map_loss(p.logit().expand(200), target, weight) for p in candidates]
        mean = float(target.mean())
        best = float(candidates[int(torch.stack(losses).argmin())])
        assert best == pytest.approx(weight * mean / (1 + (weight - 1) * mean), abs=0.004)
