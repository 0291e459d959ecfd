"""Projected potentials and where they lie on the field: particles, debris, layers of bodies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.records import Particles, Scene


@dataclass(frozen=True)
class Stamp:
    """One projected particle, or one layer of a body.

    Args:
        potential: (h, w) projected potential in volt angstrom.
        top: row of the field on which its row 0 lies; may be outside the field.
        left: the same for columns.
    """

    potential: Tensor
    top: int
    left: int

    def window(self, margin: int) -> tuple[slice, slice]:
        """Rows and columns on a canvas that extends the field by `margin` on each side."""
        height, width = self.potential.shape
        top, left = self.top + margin, self.left + margin
        return slice(top, top + height), slice(left, left + width)

    def cut(self, shape_px: tuple[int, int], border_px: int) -> "Stamp | None":
        """The part within a border about a field; None where nothing is left."""
        height, width = self.potential.shape
        top, left = max(self.top, -border_px), max(self.left, -border_px)
        bottom = min(self.top + height, shape_px[0] + border_px)
        right = min(self.left + width, shape_px[1] + border_px)
        if bottom <= top or right <= left:
            return None
        rows, columns = (
            slice(top - self.top, bottom - self.top),
            slice(left - self.left, right - self.left),
        )
        return Stamp(self.potential[rows, columns], top, left)


def species_key(name: str, conformation: int) -> str:
    """Name of a species in one conformation: SPECIES for 0, else SPECIES-CONFORMATION."""
    return name if conformation == 0 else f"{name}-{conformation}"


def make_stamps(scene: Scene, projectors: Mapping[str, Projector]) -> list[Stamp]:
    """Project every particle of a scene, in the scene's order.

    Raises:
        CryoccdError: a species without projector, or one of another pixel size.
    """
    return project_particles(scene.particles, scene, projectors)


def project_particles(
    particles: Particles, scene: Scene, projectors: Mapping[str, Projector]
) -> list[Stamp]:
    """Project particles that lie in a scene, or the members of its debris."""
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


def joined(stamps: Sequence[Stamp]) -> Stamp:
    """The sum of stamps as one, on their common rectangle."""
    top, left = (min(getattr(stamp, side) for stamp in stamps) for side in ("top", "left"))
    bottom = max(stamp.top + stamp.potential.shape[0] for stamp in stamps)
    right = max(stamp.left + stamp.potential.shape[1] for stamp in stamps)
    total = torch.zeros(bottom - top, right - left, device=stamps[0].potential.device)
    for stamp in stamps:
        rows, columns = stamp.potential.shape
        y, x = stamp.top - top, stamp.left - left
        total[y : y + rows, x : x + columns] += stamp.potential
    return Stamp(total, top, left)


def reach_px(stamps: Sequence[Stamp], shape_px: tuple[int, int]) -> int:
    """How far the stamps stick out of the field, at least 0."""
    height, width = shape_px
    over = [0]
    for stamp in stamps:
        rows, columns = stamp.potential.shape
        over += [-stamp.top, -stamp.left]
        over += [stamp.top + rows - height, stamp.left + columns - width]
    return max(over)
