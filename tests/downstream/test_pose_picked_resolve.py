"""From images of picks to a resolution, with matched, given and random poses."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose.images import normalised, transfer_of
from cryoccd.downstream.pose.picked import PickedParticles
from cryoccd.downstream.pose.reconstruct import first_half
from cryoccd.downstream.pose.refine import matched, random_poses, resolve
from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.projection import Projector
from cryoccd.metrics.pose.poses import Poses
from cryoccd.records import Optics
from cryoccd.specimen.species import load_species
from cryoccd.verify.micrographs.views import through_lens

N, BOX, VOXEL_A = 160, 32, 6.0
NAMES = tuple(f"m{row % 16}" for row in range(N))


def particles_of(assembly, n, voxel_A=VOXEL_A):
    """Picks a few angstrom beside particles in noise, and the true poses."""
    _, volume = load_species(f"assembly:{assembly}", voxel_A, BOX)
    rng = np.random.default_rng(0)
    rests_A = torch.from_numpy(rng.uniform(-3, 3, (n, 2)))
    shifts_A = rests_A + torch.from_numpy(rng.normal(0, 6, (n, 2)))
    rotations = torch.from_numpy(Rotation.random(n, rng=rng).as_matrix())
    lenses = [
        asdict(Optics(300, 2.7, 0.1, voxel_A, defocus, defocus))
        for defocus in rng.uniform(12000, 20000, n)
    ]
    lens = pd.DataFrame(lenses)
    views = Projector(volume).project(matrix_to_euler(rotations), shifts_A / voxel_A)
    images = through_lens(views, transfer_of(lens, NAMES[:n], 2 * BOX))
    noise = torch.from_numpy(rng.normal(size=images.shape)).float()
    images = normalised(images + images.std() * noise)
    found = PickedParticles(images, rests_A, lens, NAMES[:n], 0)
    return found, volume, Poses(rotations, shifts_A)


@pytest.fixture(scope="module")
def lobed():
    return particles_of("lobed_c1", N)


@pytest.fixture(scope="module")
def matches(lobed):
    particles, volume, _ = lobed
    return matched(particles, volume)


def test_matched_poses_resolve_the_map_and_random_ones_do_not(lobed, matches):
    particles, volume, truth = lobed
    best = resolve(particles, volume, poses=truth).resolution
    found = resolve(particles, volume, seed=1)
    random = resolve(particles, volume, poses=random_poses(particles))
    assert best.truth_A < 14
    assert found.resolution.truth_A < 1.25 * best.truth_A
    assert random.resolution.truth_A > 30
    assert found.split_by == "micrographs"
    assert found.resolution.half_map_A < 16
    again = resolve(particles, volume, seed=1, poses=matches.poses)  # what it does without
    assert torch.equal(again.maps.full, found.maps.full)
    assert again.resolution.half_map_A == found.resolution.half_map_A
    other = resolve(particles, volume, seed=2, poses=found.poses)
    assert other.resolution.truth_A == pytest.approx(found.resolution.truth_A, rel=1e-3)
    assert not torch.equal(other.maps.halves[0], found.maps.halves[0])


def test_symmetry_is_worth_as_many_images():
    """Twelve images of the barrel, one of each of its 14 views: filled with D7, not with C1."""
    particles, volume, truth = particles_of("barrel_d7", 12, 8.0)
    known, unknown = (resolve(particles, volume, group, poses=truth) for group in ("D7", "C1"))
    assert known.resolution.truth_A < 0.8 * unknown.resolution.truth_A
    mates = (
        truth.rotations @ torch.diag(torch.tensor([-1.0, -1.0, 1.0])).double()
    )  # no operator of D7
    wrong = resolve(particles, volume, "D7", poses=Poses(mates, truth.shifts_A))
    assert wrong.resolution.truth_A > 1.2 * known.resolution.truth_A


def test_shifts_are_found_beside_the_picks(lobed, matches):
    particles, _, truth = lobed
    away_A = (matches.poses.shifts_A - truth.shifts_A).norm(dim=1)
    assert away_A.median() < 2.5
    assert (particles.rests_A - truth.shifts_A).norm(dim=1).median() > 5


def test_halves_are_half_of_the_micrographs():
    first, by = first_half(NAMES, seed=3)
    names = np.array(NAMES)
    assert by == "micrographs"
    one, two = set(names[first.numpy()]), set(names[~first.numpy()])
    assert not one & two
    assert len(one) == len(two) == 8
    turned, _ = first_half(NAMES[::-1], seed=3)
    assert torch.equal(turned.flip(0), first)
    assert not torch.equal(first_half(NAMES, seed=4)[0], first)
    few, by = first_half(("a", "b") * 9)
    assert by == "particles"
    assert int(few.sum()) == 9


def test_random_poses_are_uniform_and_seeded(lobed):
    particles, _, _ = lobed
    one, two = random_poses(particles, 1), random_poses(particles, 1)
    assert torch.equal(one.rotations, two.rotations)
    assert not torch.equal(one.rotations, random_poses(particles, 2).rotations)
    assert one.rotations.mean(0).abs().max() < 4 / (3 * N) ** 0.5
    assert torch.equal(one.shifts_A, particles.rests_A)


def test_too_few_poses_are_refused(lobed):
    particles, volume, truth = lobed
    with pytest.raises(CryoccdError, match="10 poses of 160 particles"):
        resolve(particles, volume, poses=truth[torch.arange(10)])
