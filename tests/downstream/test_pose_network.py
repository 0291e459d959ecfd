"""The encoder turns with the image; six numbers are a rotation."""

import pytest
import torch
from pose_views import lump, random_rotations, views

from cryoccd.downstream.pose.augment import square_motion
from cryoccd.downstream.pose.network import PoseEncoder, rotation_from_six
from cryoccd.geometry import euler_to_matrix

BOX, N = 48, 6


def encoder(seed=0):
    torch.manual_seed(seed)
    return PoseEncoder(BOX, 8).eval()


def images(rotations):
    return views(lump(BOX), rotations, torch.zeros(len(rotations), 2))


def test_six_numbers_are_a_rotation():
    rotations = random_rotations(10)
    same = rotation_from_six(
        torch.cat([2 * rotations[:, 0], 3 * rotations[:, 1]], 1)
    )  # any lengths
    torch.testing.assert_close(same, rotations, atol=1e-5, rtol=0)
    found = rotation_from_six(torch.randn(50, 6, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(found @ found.mT, torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(found), torch.ones(50))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_its_sums_turn_with_a_quarter_turn(quarters):
    seen = images(random_rotations(N))
    net = encoder()
    with torch.no_grad():
        before, after = net.sums(seen), net.sums(square_motion(quarters, False).image(seen))
    torch.testing.assert_close(after, 1j**quarters * before, atol=1e-5, rtol=1e-3)


def test_its_sums_turn_with_any_turn():
    """The view at Rz(phi) A: rot, tilt, psi to psi - phi."""
    rotations = random_rotations(N)
    turn = euler_to_matrix(torch.tensor([0.0, 0.0, -30.0]))
    torch.testing.assert_close(turn @ torch.tensor([1.0, 0, 0]), torch.tensor([3**0.5 / 2, 0.5, 0]))
    net = encoder()
    with torch.no_grad():
        before, after = net.sums(images(rotations)), net.sums(images(turn @ rotations))
    phase = torch.polar(torch.tensor(1.0), torch.tensor(torch.pi / 6))
    assert (after - phase * before).abs().max() < 0.05 * before.abs().max()
    assert (after - before).abs().max() > 0.3 * before.abs().max()


def test_its_pose_turns_with_the_image():
    seen, motion = images(random_rotations(N)), square_motion(1, False)
    net = encoder()
    with torch.no_grad():
        before, after = net(seen)[0], net(motion.image(seen))[0]
    torch.testing.assert_close(after, motion.rotation(before), atol=1e-3, rtol=0)


def test_any_turn_of_the_numbers_is_that_of_the_rotation():
    six = torch.randn(20, 6, generator=torch.Generator().manual_seed(1))
    turn = euler_to_matrix(torch.tensor([0.0, 0.0, -30.0]))
    phase = torch.polar(torch.tensor(1.0), torch.tensor(torch.pi / 6))
    turned = phase * torch.complex(six[:, :3], six[:, 3:])
    found = rotation_from_six(torch.cat([turned.real, turned.imag], 1))
    torch.testing.assert_close(found, turn @ rotation_from_six(six), atol=1e-4, rtol=0)


def test_the_rotation_is_the_nearest_by_singular_values():
    six = torch.randn(20, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    left, _, right = torch.linalg.svd(
        torch.stack([six[:, :3], six[:, 3:]], -1), full_matrices=False
    )
    torch.testing.assert_close(rotation_from_six(six)[:, :2], (left @ right).mT)


def test_its_size():
    count = sum(p.numel() for p in PoseEncoder(48, 32).parameters())
    assert 4e5 < count < 1.5e6
