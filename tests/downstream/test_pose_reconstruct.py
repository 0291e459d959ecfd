"""The map comes back from true poses, not from random ones, and half-maps hardly tell."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose.reconstruct import first_half, reconstruct
from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.projection import Projector
from cryoccd.metrics.pose.alignment import mirror_poses
from cryoccd.metrics.pose.resolution import resolution, sphere_mask
from cryoccd.records import Optics, Volume
from cryoccd.specimen.symmetry import point_group
from cryoccd.verify.micrographs.views import through_lens

N, BOX, VOXEL_A = 300, 32, 4.0
OPTICS = Optics(300, 2.7, 0.1, VOXEL_A, 12000, 12000)
MASK = sphere_mask(BOX, 9)


def random_rotations(seed):
    return torch.from_numpy(Rotation.random(N, rng=np.random.default_rng(seed)).as_matrix())


def compact():
    """A core and blobs 1.5 to 4.5 voxels from it: no shell of the spherical mean is empty."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(8, 3))
    centres *= np.linspace(1.5, 4.5, 8)[:, None] / np.linalg.norm(centres, axis=1, keepdims=True)
    weighted = zip([1.5] + [1.0] * 8, [np.zeros(3), *centres], strict=True)
    axis = np.arange(BOX) - BOX // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = sum(
        weight * np.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2 * 1.1**2))
        for weight, (a, b, c) in weighted
    )
    return torch.from_numpy(values).float()


@pytest.fixture(scope="module")
def particles():
    truth, poses = compact(), random_rotations(1)
    shifts_px = torch.from_numpy(np.random.default_rng(2).uniform(-2, 2, (N, 2)))
    defoci_A = torch.from_numpy(np.random.default_rng(3).uniform(8000, 16000, N))

    def transfer(index):
        return ctf(OPTICS, (2 * BOX, 2 * BOX), defoci_A[index], defoci_A[index])

    views = Projector(Volume(truth, VOXEL_A)).project(matrix_to_euler(poses), shifts_px)
    return truth, through_lens(views, transfer(torch.arange(N))), poses, shifts_px, transfer


FIRST, _ = first_half(tuple(f"micrograph {i}" for i in range(N)))


def found(particles, images, poses, shifts_px=None):
    truth, _, _, true_shifts_px, transfer = particles
    shifts_px = true_shifts_px if shifts_px is None else shifts_px
    maps = reconstruct(images, poses, shifts_px, transfer, FIRST)
    return resolution(maps.full, truth, VOXEL_A, MASK, maps.halves)


def test_true_poses_give_the_map_and_wrong_ones_do_not(particles):
    _, images, poses, shifts_px, _ = particles
    right = found(particles, images, poses)
    assert right.truth.lowest(0.95) > 0.9
    assert right.truth_A < 1.05 * 2 * VOXEL_A
    assert found(particles, images, poses, -shifts_px).truth_A > 24
    assert found(particles, images, mirror_poses(poses)).truth_A > 16
    # the other side of the frame
    assert found(particles, images, poses @ random_rotations(4)[0]).truth_A > 16


def test_half_maps_hardly_notice_random_poses(particles):
    """Both halves hold the same spherical average; so a half-map figure needs this row beside it.

    Against the truth 10.5 A with true poses and 22 A with random ones, between halves 10.5 and 12.
    """
    _, images, poses, _, _ = particles
    noise = torch.from_numpy(np.random.default_rng(5).normal(size=images.shape)).float()
    noisy = images + 2**0.5 * images.std() * noise
    right, random = found(particles, noisy, poses), found(particles, noisy, random_rotations(6))
    assert right.truth_A < 12
    assert random.truth_A > 1.8 * right.truth_A
    assert random.half_map_A < 1.25 * right.half_map_A


def test_the_map_is_that_of_both_halves(particles):
    _, images, poses, shifts_px, transfer = particles
    few = slice(0, 40)
    parts = (images[few], poses[few], shifts_px[few], transfer)
    maps = reconstruct(*parts, FIRST[few])
    swapped = reconstruct(*parts, ~FIRST[few])
    other = reconstruct(*parts, torch.arange(40) < 20)
    torch.testing.assert_close(maps.full, swapped.full)
    torch.testing.assert_close(maps.full, other.full, atol=1e-4 * float(maps.full.max()), rtol=0)
    assert torch.equal(maps.halves[0], swapped.halves[1])
    assert not torch.allclose(maps.halves[0], maps.halves[1], atol=1e-2)


@pytest.mark.parametrize("symmetry", ["C2", "D7", "O"])
def test_symmetry_is_as_putting_every_image_into_all_equal_views(particles, symmetry):
    """From the same few images: the symmetric map is that of all mates, and not that of one."""
    _, images, poses, shifts_px, transfer = particles
    few, group = torch.arange(40), torch.from_numpy(point_group(symmetry))
    parts = (images[few], poses[few], shifts_px[few], transfer, FIRST[few])
    one, all_views = reconstruct(*parts), reconstruct(*parts, symmetry)
    rows = few.repeat_interleave(len(group))
    expanded = reconstruct(
        images[rows],
        (poses[few][:, None] @ group).flatten(0, 1),
        shifts_px[rows],
        lambda index: transfer(rows[index]),
        FIRST[rows],
    )
    for which, limit in ((all_views, 0.97), (one, 0.9)):
        agreement = resolution(which.full, expanded.full, VOXEL_A, MASK, which.halves).truth
        assert (agreement.lowest(0.8) > limit) == (which is all_views)


def test_what_does_not_fit_is_refused(particles):
    _, images, poses, shifts_px, transfer = particles
    with pytest.raises(CryoccdError, match="300 images, 299 rotations"):
        reconstruct(images, poses[1:], shifts_px, transfer, FIRST)
    with pytest.raises(CryoccdError, match="all 300 particles in one half"):
        reconstruct(images, poses, shifts_px, transfer, torch.ones(N, dtype=torch.bool))
