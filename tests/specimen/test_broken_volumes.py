import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.records import Volume
from cryoccd.specimen.broken import EDGE_A, broken_volumes

VOXEL_A = 4.0


@pytest.fixture
def ball():
    axis = (torch.arange(48) - 24) * VOXEL_A
    radius = (axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis**2).sqrt()
    return Volume(5.0 * (radius < 70).float() - 0.1 * (radius >= 70).float(), VOXEL_A)


def test_a_uniform_share_of_the_mass_stays(ball):
    pieces = broken_volumes(ball, 60, np.random.default_rng(0))
    mass = ball.values.clamp(min=0).double().sum()
    share = np.array([float(p.values.clamp(min=0).double().sum() / mass) for p in pieces])
    assert 0.299 < share.min() < 0.33
    assert 0.67 < share.max() < 0.701
    assert abs(share.mean() - 0.5) < 0.06


def test_the_cut_is_a_plane_with_a_soft_edge_in_any_direction(ball):
    pieces = broken_volumes(ball, 40, np.random.default_rng(1))
    axis = (torch.arange(48) - 24) * VOXEL_A
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    inside = ball.values > 0
    points = torch.stack([x[inside], y[inside], z[inside]], 1)
    directions = []
    for piece in pieces:
        left = piece.values[inside] / 5
        assert ((left >= 0) & (left <= 1)).all()
        weight = left - left.mean()
        normal = (weight[:, None] * points).sum(0)
        normal = normal / normal.norm()
        height = points @ normal
        order = height.argsort()
        risen = left[order]
        low, high = (float(height[order][(risen > level).nonzero()[0]]) for level in (0.16, 0.84))
        assert high - low == pytest.approx(EDGE_A, abs=1.5 * VOXEL_A)
        assert (left[height < low - 2 * EDGE_A] < 0.01).all()
        assert (left[height > high + 2 * EDGE_A] > 0.99).all()
        directions.append(normal)
    spread = torch.stack(directions).T.cov()
    assert torch.linalg.eigvalsh(spread).min() > 0.15  # 1/3 on every axis


def test_pieces_are_seeded_and_stay_in_their_frame(ball):
    one = broken_volumes(ball, 2, np.random.default_rng(5))
    two = broken_volumes(ball, 2, np.random.default_rng(5))
    assert torch.equal(one[1].values, two[1].values)
    assert not torch.equal(one[0].values, one[1].values)
    kept = one[0].values > 4.99
    assert torch.allclose(one[0].values[kept], ball.values[kept], atol=0.01)


def test_nothing_to_cut_is_refused(ball):
    with pytest.raises(CryoccdError, match="count = 0"):
        broken_volumes(ball, 0, np.random.default_rng(0))
    empty = Volume(-torch.ones(4, 4, 4), 1.0)
    with pytest.raises(CryoccdError, match="no positive values"):
        broken_volumes(empty, 1, np.random.default_rng(0))
