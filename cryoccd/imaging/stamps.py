"""Projected particles and where they lie on the field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.records import Scene


@dataclass(frozen=True)
class Stamp:
    """One projected particle.

    Args:
        potential: (b, b) projected potential in volt angstrom.
        top: row of the field on which its row 0 lies; may be outside the field.
        left: the same for columns.
    """

    potential: Tensor
    top: int
    left: int

    def window(self, margin: int) -> tuple[slice, slice]:
        """Rows and columns on a canvas that extends the field by `margin` on each side."""
        box = self.potential.shape[0]
        top, left = self.top + margin, self.left + margin
        return slice(top, top + box), slice(left, left + box)


def species_key(name: str, conformation: int) -> str:
    """Name of a species in one conformation: SPECIES for 0, else SPECIES-CONFORMATION."""
    return name if conformation == 0 else f"{name}-{conformation}"


def make_stamps(scene: Scene, projectors: Mapping[str, Projector]) -> list[Stamp]:
    """Project every particle of a scene, in the scene's order.

    Raises:
        CryoccdError: a species without projector, or one of another pixel size.
    """
    particles = scene.particles
    at_px = particles.positions_A[:, :2] / scene.pixel_size_A
    centre_px = np.floor(at_px + 0.5)
    keys = np.array(
        [
            species_key(scene.species_names[species], conformation)
            for species, conformation in zip(particles.species, particles.conformation, strict=True)
        ]
    )
    stamps: dict[int, Stamp] = {}
    for key in dict.fromkeys(keys):
        projector = projectors.get(key)
        if projector is None:
            raise CryoccdError(f"species {key}: no potential, expected one of {list(projectors)}")
        if abs(projector.voxel_size_A / scene.pixel_size_A - 1) > 1e-4:
            raise CryoccdError(
                f"species {key}: voxel size {projector.voxel_size_A} A, expected the pixel size "
                f"{scene.pixel_size_A} A; resample the map"
            )
        members = np.flatnonzero(keys == key)
        views = projector.project(
            torch.from_numpy(particles.eulers_deg[members]),
            torch.from_numpy((at_px - centre_px)[members]),
        )
        corners = centre_px[members].astype(int) - projector.box_px // 2
        for index, view, (left, top) in zip(members, views, corners, strict=True):
            stamps[int(index)] = Stamp(view, int(top), int(left))
    return [stamps[index] for index in range(len(particles))]


def reach_px(stamps: Sequence[Stamp], shape_px: tuple[int, int]) -> int:
    """How far the stamps stick out of the field, at least 0."""
    height, width = shape_px
    over = [0]
    for stamp in stamps:
        box = stamp.potential.shape[0]
        over += [-stamp.top, -stamp.left, stamp.top + box - height, stamp.left + box - width]
    return max(over)
