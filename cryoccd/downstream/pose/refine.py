"""From particle images to a resolution: poses, the map and its halves, and their correlations.

The poses are matched to the known map, drawn at random, or given by another program. The map is
made of every image in all the views that the point group holds equal, and is compared within a
soft ball, which holds nothing of the shape of the truth.
"""

from dataclasses import dataclass

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from cryoccd.downstream.pose.picked import PickedParticles
from cryoccd.downstream.pose.projection_matching import Matches, match_projections
from cryoccd.downstream.pose.reconstruct import Maps, first_half, reconstruct
from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.poses import Poses
from cryoccd.metrics.pose.resolution import Resolution, resolution, sphere_mask
from cryoccd.randomness import item_seed
from cryoccd.records import Volume
from cryoccd.specimen.species import diameter_A


@dataclass(frozen=True)
class Resolved:
    """A map and how well it is resolved.

    Args:
        resolution: its FSC against the truth and of its halves, with their curves.
        maps: the map and its halves.
        poses: of the particles.
        split_by: what the halves are halves of, "micrographs" or "particles".
    """

    resolution: Resolution
    maps: Maps
    poses: Poses
    split_by: str


def resolve(
    particles: PickedParticles,
    reference: Volume,
    symmetry: str = "C1",
    seed: int = 0,
    poses: Poses | None = None,
    mask: Tensor | None = None,
) -> Resolved:
    """Reconstruct particles and compare with the truth.

    Args:
        particles: the images.
        reference: the true map, of their box and pixel size.
        symmetry: its point group.
        seed: of the halves.
        poses: of the particles, in the frame of the reference; by default matched to it.
        mask: (b, b, b) in [0, 1]; by default a soft ball of the reference's diameter.

    Raises:
        CryoccdError: another box, as many poses, or a single particle.
    """
    if poses is None:
        poses = matched(particles, reference, symmetry).poses
    shifts_A = particles.rests_A if poses.shifts_A is None else poses.shifts_A
    if len(poses) != len(particles):
        raise CryoccdError(f"resolve: {len(poses)} poses of {len(particles)} particles")
    first, split_by = first_half(particles.micrographs, seed)
    shifts_px = shifts_A / particles.pixel_size_A
    images, transfer = particles.images, particles.transfer
    maps = reconstruct(images, poses.rotations, shifts_px, transfer, first, symmetry)
    if mask is None:
        radius_px = diameter_A(reference) / 2 / reference.voxel_size_A
        mask = sphere_mask(reference.box_px, radius_px)
    found = resolution(maps.full, reference.values, reference.voxel_size_A, mask, maps.halves)
    return Resolved(found, maps, poses, split_by)


def matched(particles: PickedParticles, reference: Volume, symmetry: str = "C1") -> Matches:
    """Poses by projection matching, the shifts about the picks."""
    return match_projections(
        particles.images, particles.transfer, reference, symmetry, start_A=particles.rests_A
    )


def random_poses(particles: PickedParticles, seed: int = 0) -> Poses:
    """Uniform rotations, each particle where it was picked."""
    drawn = Rotation.random(len(particles), rng=item_seed(seed, "random poses"))
    return Poses(torch.from_numpy(drawn.as_matrix()), particles.rests_A)
