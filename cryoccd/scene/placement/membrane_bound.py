"""Particles in membranes: their z axis along the outward normal, at any spin about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, inside


@dataclass(frozen=True)
class MembraneBound(PlacementLaw):
    """Uniform by area over the membranes of the scene.

    Args:
        offset_A: distance of the particle's centre from the middle of the bilayer, positive
            outside.
        inward: share of the particles whose z axis points inwards.
    """

    offset_A: float = 0.0
    inward: float = 0.0

    solid: ClassVar[bool] = True
    needs: ClassVar[str] = "membranes"

    def __post_init__(self) -> None:
        check_within("placement: offset_A", self.offset_A, -1e4, 1e4, "angstrom")
        check_within("placement: inward", self.inward, 0, 1, "a share")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Batches over all membranes, those within the ice; see the base class."""
        if not field.surfaces:  # this field happens to have none
            return
        areas = np.array([surface.area_A2 for surface in field.surfaces])
        for _ in range(BATCHES):
            counts = generator.multinomial(4 * n + 64, areas / areas.sum())
            drawn = [
                surface.sample(count, generator)
                for surface, count in zip(field.surfaces, counts, strict=True)
            ]
            points, normals = (np.concatenate(part) for part in zip(*drawn, strict=True))
            centres = points + self.offset_A * normals
            half_A = field.local_thickness_A(centres[:, :2]) / 2
            fits = inside(centres[:, :2], field) & (np.abs(centres[:, 2]) <= half_A)
            order = generator.permutation(np.flatnonzero(fits))
            flip = np.where(generator.uniform(0, 1, len(order)) < self.inward, -1.0, 1.0)
            axes = normals[order] * flip[:, None]
            yield Proposal(centres[order], turned_to(axes, generator))


def turned_to(axes: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """(n, 3, 3) rotations A with A z = the (n, 3) unit axes, at uniform spin about them."""
    helper = np.eye(3)[np.abs(axes).argmin(axis=1)]
    first = np.cross(helper, axes)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axes, first)
    spin = generator.uniform(0, 2 * np.pi, len(axes))[:, None]
    across = np.cos(spin) * first + np.sin(spin) * second
    return np.stack([across, np.cross(axes, across), axes], axis=2)
