"""Told poses against found ones, on particles whose poses are known."""

import pytest
import torch
from volume_toys import CLASSES, VOXEL_A, drawn, toy_map, turns

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.metrics.volume import BoxSet, standardised
from cryoccd.metrics.volume.pose_error import BoxPoses, pose_errors

MAPS = {name: toy_map(kind) for kind, name in enumerate(CLASSES)}
SHIFTS_PX = torch.tensor([[0.4, -0.3, 0.2], [0.0, 0.5, -0.5]])


@pytest.fixture(scope="module")
def posed() -> tuple[BoxSet, BoxPoses]:
    """Dark particles of two classes, five of each, without noise."""
    n = 5
    rotations = torch.cat([turns(n, seed=1), turns(n, seed=2)])
    offsets_px = SHIFTS_PX.repeat(n, 1).double()
    kinds = [0] * n + [2] * n
    drawn_boxes = [
        drawn(kind, turn, shift)
        for kind, turn, shift in zip(kinds, rotations, offsets_px, strict=True)
    ]
    groups = torch.arange(2 * n).numpy().astype(str)
    volumes = standardised(-torch.stack(drawn_boxes))
    boxes = BoxSet(volumes, torch.tensor(kinds), groups, VOXEL_A, CLASSES)
    return boxes, BoxPoses(rotations, offsets_px)


def test_true_poses_have_next_to_no_error_and_exchanged_ones_that_of_chance(posed):
    boxes, told = posed
    found = pose_errors(boxes, told, MAPS, {})
    assert found["orientation_deg"].value < 3
    assert found["position_A"].value < 2
    assert "apple" in found["orientation_deg"].note
    assert "chance 1" in found["orientation_deg"].note  # above 100 degrees
    other = BoxPoses(told.rotations.roll(1, 0), told.offsets_px)
    assert pose_errors(boxes, other, MAPS, {})["orientation_deg"].value > 60


def test_a_told_place_beside_the_particle_is_seen(posed):
    boxes, told = posed
    beside = BoxPoses(told.rotations, told.offsets_px + torch.tensor([0.0, 3.0, 0.0]))
    found = pose_errors(boxes, beside, MAPS, {})
    assert found["position_A"].value == pytest.approx(3 * VOXEL_A, abs=2)
    # x and z exchanged: a distance of the difference of both
    swapped = BoxPoses(told.rotations, told.offsets_px.flip(1))
    away_A = VOXEL_A * (told.offsets_px - told.offsets_px.flip(1)).norm(dim=1).median()
    assert pose_errors(boxes, swapped, MAPS, {})["position_A"].value > 0.5 * away_A


def test_mates_of_a_symmetry_count_as_one(posed):
    boxes, told = posed
    half_turn = euler_to_matrix(torch.tensor([[180.0, 0.0, 0.0]], dtype=torch.float64))[0]
    mates = BoxPoses(told.rotations @ half_turn, told.offsets_px)
    assert pose_errors(boxes, mates, MAPS, {})["orientation_deg"].value > 170
    symmetry = dict.fromkeys(CLASSES, "C2")
    assert pose_errors(boxes, mates, MAPS, symmetry)["orientation_deg"].value < 3


def test_what_is_refused(posed):
    boxes, told = posed
    with pytest.raises(CryoccdError, match="poses: 9 of 10 boxes, expected one a box"):
        pose_errors(boxes, told.take(torch.arange(9)), MAPS, {})
    with pytest.raises(CryoccdError, match="poses: no map of quince, known are apple"):
        pose_errors(boxes, told, {"apple": MAPS["apple"]}, {})
    with pytest.raises(CryoccdError, match="X9"):
        pose_errors(boxes, told, MAPS, {"apple": "X9"})
