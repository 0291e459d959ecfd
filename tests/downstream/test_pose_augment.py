"""A moved image is the view at the moved pose; a mirror image is the view from behind."""

from collections import Counter

import pytest
import torch
from pose_views import correlation, lump, random_rotations, views

from cryoccd.downstream.pose.augment import draw_motion, square_motion

BOX, N = 32, 12
SHIFTS_PX = torch.rand(N, 2, generator=torch.Generator().manual_seed(1)) - 0.5
EIGHT = [(turn, mirror) for turn in range(4) for mirror in (False, True)]


@pytest.fixture(scope="module")
def seen():
    volume, rotations = lump(BOX), random_rotations(N)
    return volume, rotations, views(volume, rotations, SHIFTS_PX)


@pytest.mark.parametrize(("turn", "mirror"), EIGHT)
def test_the_moved_image_is_the_view_at_the_moved_pose(seen, turn, mirror):
    volume, rotations, images = seen
    motion = square_motion(turn, mirror, (2, -1))
    shifts = torch.stack([motion.shift(each) for each in SHIFTS_PX])
    expected = views(volume, motion.rotation(rotations), shifts)
    torch.testing.assert_close(motion.image(images), expected, rtol=0, atol=2e-3 * images.max())


def test_a_mirror_image_has_no_other_pose_that_comes_to_mind(seen):
    volume, rotations, images = seen
    mirrored = square_motion(0, True).image(images)
    shifts = SHIFTS_PX * torch.tensor([-1.0, 1.0])

    def likeness(poses):
        return correlation(mirrored, views(volume, poses, shifts)).median()

    behind = torch.diag(torch.tensor([-1.0, 1.0, -1.0]))
    assert likeness(behind @ rotations) > 0.999
    assert likeness(rotations) < 0.9  # as it was
    flip = torch.diag(torch.tensor([1.0, 1.0, -1.0]))
    assert likeness(flip @ rotations @ flip) < 0.9  # the pose of the mirrored map
    hand = lump(BOX).values.flip(0).roll(1, 0)
    other = type(volume)(hand, volume.voxel_size_A)
    assert correlation(mirrored, views(other, behind @ rotations, shifts)).median() < 0.9


@pytest.mark.parametrize(("turn", "mirror"), EIGHT)
def test_motions_stay_proper_rotations_and_come_back(seen, turn, mirror):
    _, rotations, _ = seen
    motion = square_motion(turn, mirror)
    moved = motion.rotation(rotations)
    torch.testing.assert_close(torch.linalg.det(moved), torch.ones(N))
    torch.testing.assert_close(motion.undo(moved), rotations)


def test_pixels_are_moved_and_nothing_else():
    noise = torch.randn(BOX, BOX, generator=torch.Generator().manual_seed(0))
    for number in range(20):
        motion = draw_motion(torch.Generator().manual_seed(number), 3)
        assert torch.equal(
            motion.image(noise).flatten().sort().values, noise.flatten().sort().values
        )


def test_all_symmetries_and_shifts_are_drawn():
    drawn = [draw_motion(torch.Generator().manual_seed(number), 1) for number in range(4000)]
    symmetries = Counter(tuple(each.matrix.flatten().tolist()) for each in drawn)
    shifts = Counter(tuple(each.shift_px.tolist()) for each in drawn)
    assert len(symmetries) == 8
    assert len(shifts) == 9
    assert min(symmetries.values()) > 400  # 500 +- 21
    assert min(shifts.values()) > 350  # 444 +- 20
