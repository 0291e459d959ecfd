"""The rotation's loss against brute force over the group, and one rotation out of several."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_views import random_rotations
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose.consensus import consensus, to_rotation
from cryoccd.downstream.pose.loss import rotation_distance, shift_loss
from cryoccd.downstream.pose.network import rotation_from_six
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.specimen.symmetry import point_group

GROUPS = {"C1": 1, "C5": 5, "D7": 14, "O": 24, "I1": 60}


def operators(name):
    return torch.from_numpy(point_group(name)).float()


@pytest.mark.parametrize("name", GROUPS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_distance_is_the_least_over_all_mates(name, seed):
    found, truth = random_rotations(7, seed), random_rotations(7, seed + 1)
    group = Rotation.from_matrix(point_group(name))
    assert len(group) == GROUPS[name]
    theta = [
        min(
            ((Rotation.from_matrix(a) * g).inv() * Rotation.from_matrix(f)).magnitude()
            for g in group
        )
        for f, a in zip(found.double().numpy(), truth.double().numpy(), strict=True)
    ]
    expected = 2 * np.sqrt(2) * np.sin(np.array(theta) / 2)
    np.testing.assert_allclose(
        rotation_distance(found, truth, operators(name)), expected, rtol=1e-4, atol=2e-3
    )


def test_mates_of_the_truth_are_the_truth():
    truth = random_rotations(5)
    for name in GROUPS:
        group = operators(name)
        mates = (truth[:, None] @ group).flatten(0, 1)
        distance = rotation_distance(mates, truth.repeat_interleave(len(group), 0), group)
        assert distance.max() < 3e-3  # the floor is 1e-3
    assert rotation_distance(truth @ operators("D7")[3], truth, operators("C1")).min() > 1


def test_a_mate_on_the_other_side_is_none():
    """The operators act on the map, not on the view."""
    truth = random_rotations(5)
    turned = operators("D7")[3] @ truth
    assert rotation_distance(turned, truth, operators("D7")).max() > 0.1


def test_the_slope_is_finite_where_the_estimate_is_perfect():
    truth = random_rotations(4)
    found = truth.clone().requires_grad_()
    rotation_distance(found, truth, operators("D7")).sum().backward()
    assert found.grad is not None
    assert bool(found.grad.isfinite().all())


def test_descent_reaches_the_nearest_mate():
    truth = random_rotations(20)
    six = torch.randn(20, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    optimizer = torch.optim.Adam([six], 0.02)
    for _ in range(200):
        optimizer.zero_grad()
        rotation_distance(rotation_from_six(six), truth, operators("O")).sum().backward()
        optimizer.step()
    error = geodesic_deg(truth, rotation_from_six(six.detach()), operators("O"))
    assert error.max() < 2


def test_shifts():
    found, truth = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    assert shift_loss(found, truth).tolist() == [25.0]


def near(truth, degrees, k, seed=0):
    rng = np.random.default_rng(seed)
    turns = np.deg2rad(degrees) * rng.normal(size=(len(truth) * k, 3)) / np.sqrt(3)
    matrices = torch.from_numpy(Rotation.from_rotvec(turns).as_matrix()).float()
    return matrices.view(-1, k, 3, 3) @ truth[:, None]


@pytest.mark.parametrize("name", ["C1", "D7", "O"])
def test_consensus_is_better_than_one(name):
    truth, group = random_rotations(200), operators(name)
    estimates = near(truth, 5, 8)
    mates = torch.randint(len(group), (200, 8), generator=torch.Generator().manual_seed(0))
    estimates = estimates @ group[mates]  # each names a mate of its own
    one = geodesic_deg(truth, estimates[:, 0], group).mean()
    both = geodesic_deg(truth, consensus(estimates, group), group).mean()
    assert both < 0.45 * one  # 1 / sqrt(8)


def test_consensus_of_equals_and_of_two():
    truth, group = random_rotations(10), operators("C1")
    torch.testing.assert_close(
        consensus(truth[:, None].repeat(1, 3, 1, 1), group), truth, atol=1e-5, rtol=0
    )
    turn, half = (
        torch.from_numpy(Rotation.from_euler("y", angle, degrees=True).as_matrix()).float()
        for angle in (80, 40)
    )
    pair = torch.stack([truth, turn @ truth], 1)
    torch.testing.assert_close(consensus(pair, group), half @ truth, atol=1e-5, rtol=0)


def test_nearest_rotation_is_proper():
    matrices = torch.randn(50, 3, 3, generator=torch.Generator().manual_seed(0))
    found = to_rotation(matrices)
    torch.testing.assert_close(torch.linalg.det(found), torch.ones(50), atol=1e-5, rtol=0)
    torch.testing.assert_close(found @ found.mT, torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0)
    for other in random_rotations(40, 2):
        assert bool(
            (matrices - found).norm(dim=(1, 2)).le((matrices - other).norm(dim=(1, 2))).all()
        )
