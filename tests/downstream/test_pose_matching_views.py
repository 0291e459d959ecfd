"""The grid of views covers the orientations of every point group, and not many times over."""

from math import pi, radians

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose.view_grid import view_grid
from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.errors import check_rotations, geodesic_deg
from cryoccd.metrics.volume.rotation_grid import small_turns
from cryoccd.specimen.symmetry import point_group

STEP_DEG = 12.0


@pytest.mark.parametrize("symmetry", ["C1", "C3", "D7", "T", "O", "I2", "I4"])
def test_every_view_has_a_neighbour(symmetry):
    """No further than a step, the best of the grid's views over all mates, by brute force."""
    views, operators = view_grid(symmetry, STEP_DEG), torch.from_numpy(point_group(symmetry))
    check_rotations("views", views)
    drawn = Rotation.random(300, rng=np.random.default_rng(0)).as_matrix()
    mates = (torch.from_numpy(drawn)[:, None] @ operators).flatten(1)  # (n, g 9)
    traces = (mates.view(300, -1, 9) @ views.flatten(1).T).amax((1, 2))
    apart_deg = torch.rad2deg(((traces - 1) / 2).clamp(-1, 1).acos())
    assert apart_deg.max() < STEP_DEG
    assert apart_deg.median() < 0.6 * STEP_DEG


def test_the_border_is_all_that_is_searched_twice():
    whole = len(view_grid("C1", STEP_DEG))
    assert whole == round(4 * pi / radians(STEP_DEG) ** 2) * 30
    assert whole / 14 < len(view_grid("D7", 6.0)) / 8 < 2 * whole / 14
    assert len(view_grid("O", STEP_DEG)) < whole / 6


def test_small_turns_are_the_neighbours():
    turns = small_turns(2.0)
    one = torch.eye(3, dtype=torch.float64).expand(27, 3, 3)
    angles = geodesic_deg(one, turns)
    assert angles[0] == 0
    expected = sorted(2.0 * np.linalg.norm(np.array(at) - 1) for at in np.ndindex(3, 3, 3))
    np.testing.assert_allclose(sorted(angles.tolist()), expected, atol=1e-6)


@pytest.mark.parametrize("step_deg", [0.5, 60.0, float("nan")])
def test_a_step_out_of_range_is_refused(step_deg):
    with pytest.raises(CryoccdError, match="step_deg"):
        view_grid("C1", step_deg)
