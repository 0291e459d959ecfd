import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.projection import Projector
from cryoccd.metrics.pose.alignment import align, mirror_poses
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.records import Volume
from cryoccd.specimen.symmetry import point_group

N = 300


def random_rotations(n, seed):
    return torch.from_numpy(Rotation.random(n, rng=np.random.default_rng(seed)).as_matrix())


def wobble(n, degrees, seed):
    vectors = np.deg2rad(degrees) * np.random.default_rng(seed).normal(size=(n, 3))
    return torch.from_numpy(Rotation.from_rotvec(vectors).as_matrix())


def group(name):
    return torch.from_numpy(point_group(name))


def planted(name, noise_deg=0.0, outliers=0.3):
    """True poses, estimates in another frame from random mates, and Q."""
    true, turn, operators = random_rotations(N, 0), random_rotations(1, 1)[0], group(name)
    mates = operators[np.random.default_rng(2).integers(len(operators), size=N)]
    estimated = wobble(N, noise_deg, 3) @ true @ mates @ turn
    bad = np.random.default_rng(4).permutation(N)[: round(outliers * N)]
    estimated[bad] = random_rotations(len(bad), 5)
    return true, estimated, turn


def apart_deg(found, planted_turn, operators):
    """Of g Q all are the same frame."""
    mates = operators @ planted_turn
    return float(geodesic_deg(mates, found.expand_as(mates)).min())


@pytest.mark.parametrize("name", ["C1", "D7", "O", "I"])
def test_a_planted_rotation_is_found_among_outliers(name):
    true, estimated, turn = planted(name)
    found = align(true, estimated, group(name))
    assert apart_deg(found.rotation, turn, group(name)) < 1e-3
    assert found.median_deg < 1e-3
    assert found.hand == "same"
    left = geodesic_deg(true, found.aligned(estimated), group(name))
    assert int((left < 1e-3).sum()) == round(0.7 * N)


@pytest.mark.parametrize("name", ["C1", "D7"])
def test_and_among_noise(name):
    true, estimated, turn = planted(name, noise_deg=3)
    found = align(true, estimated, group(name))
    # standard error of the mean of 210 rotations, 3 sqrt(3) / sqrt(210) = 0.36 degrees
    assert apart_deg(found.rotation, turn, group(name)) < 1
    left = geodesic_deg(true, found.aligned(estimated), group(name))
    assert float(left.quantile(0.5)) == pytest.approx(found.median_deg, abs=1e-9)


def test_the_candidates_alone_would_be_as_far_off_as_an_image():
    true, estimated, turn = planted("C1", noise_deg=3, outliers=0)
    votes = true.mT @ estimated
    singles = geodesic_deg(votes, turn.expand_as(votes))
    assert apart_deg(align(true, estimated).rotation, turn, group("C1")) < singles.median() / 5


@pytest.mark.parametrize("name", ["C1", "D7", "T"])
def test_a_planted_mirror_is_reported_and_not_used(name):
    true, estimated, _ = planted(name)
    found = align(true, mirror_poses(estimated), group(name))
    assert found.hand == "mirrored"
    assert found.mirrored_median_deg < 1e-3
    assert found.median_deg > 20
    left = geodesic_deg(true, found.aligned(mirror_poses(estimated)), group(name))
    assert float(left.quantile(0.5)) == pytest.approx(found.median_deg)
    back = mirror_poses(mirror_poses(estimated)) @ found.mirrored_rotation.T
    assert float(geodesic_deg(true, back, group(name)).median()) < 1e-3


def test_views_along_one_axis_have_both_hands():
    spins = Rotation.from_euler("z", np.arange(0, 360, 7.0)[:, None], degrees=True).as_matrix()
    true = torch.from_numpy(spins)
    found = align(true, true @ random_rotations(1, 6)[0])
    assert found.median_deg == pytest.approx(0, abs=1e-6)
    assert found.mirrored_median_deg == pytest.approx(0, abs=1e-6)


def asymmetric_volume(side=32):
    rng = np.random.default_rng(7)
    axis = np.arange(side) - side // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = sum(
        weight * np.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2 * 1.5**2))
        for weight, (a, b, c) in zip(
            rng.uniform(0.5, 1.5, 8), rng.normal(0, 3.5, (8, 3)), strict=True
        )
    )
    return torch.from_numpy(values).float()


def test_a_mirrored_map_in_mirrored_poses_gives_the_same_images():
    values = asymmetric_volume()
    mirrored = values.flip(0).roll(1, 0)  # z to -z about voxel n // 2
    poses = random_rotations(10, 8)

    def views(volume, rotations):
        return Projector(Volume(volume.contiguous(), 2.0)).project(matrix_to_euler(rotations))

    right = views(values, poses)
    peak = right.abs().max()
    assert (views(mirrored, mirror_poses(poses)) - right).abs().max() < 1e-4 * peak
    assert (views(mirrored, poses) - right).abs().max() > 0.1 * peak
    assert (views(values, mirror_poses(poses)) - right).abs().max() > 0.1 * peak
    turn = random_rotations(1, 9)[0]  # and the frame: a turned map in poses A Q
    turned = mirror_poses(poses) @ turn
    assert align(poses, turned).hand == "mirrored"


def test_random_poses_stay_at_chance():
    true, random = random_rotations(2000, 10), random_rotations(2000, 11)
    found = align(true, random)
    assert 125 < found.median_deg < 132.4
    assert found.mirrored_median_deg == pytest.approx(found.median_deg, abs=3)


def test_the_order_of_the_images_is_nothing():
    true, estimated, _ = planted("D7", noise_deg=5)
    shuffled = torch.from_numpy(np.random.default_rng(12).permutation(N))
    one = align(true, estimated, group("D7"))
    two = align(true[shuffled], estimated[shuffled], group("D7"))
    assert torch.equal(one.rotation, two.rotation)
    assert torch.equal(one.mirrored_rotation, two.mirrored_rotation)
    assert (one.median_deg, one.mirrored_median_deg) == (two.median_deg, two.mirrored_median_deg)


def test_as_many_of_each():
    with pytest.raises(CryoccdError, match="3 estimated, 4 true"):
        align(random_rotations(4, 0), random_rotations(3, 0))
    with pytest.raises(CryoccdError, match="estimated poses: 4 of 4 matrices are no rotations"):
        align(random_rotations(4, 0), -random_rotations(4, 0))


def test_a_single_image_aligns_to_itself():
    one, two = random_rotations(1, 13), random_rotations(1, 14)
    assert align(one, two).median_deg < 1e-6
