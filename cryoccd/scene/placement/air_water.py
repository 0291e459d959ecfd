"""Particles at the air-water interface, where most of them are in real ice (Noble et al. 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import PlacementLaw, Proposal
from cryoccd.scene.placement.uniform import Uniform


@dataclass(frozen=True)
class AirWater(PlacementLaw):
    """Touching one face of the ice or the other.

    Args:
        upper: share of the particles at the face towards the electron source.
        depth_A: standard deviation of their distance below the face.
    """

    upper: float = 0.5
    depth_A: float = 5.0

    def __post_init__(self) -> None:
        check_within("placement: upper", self.upper, 0, 1, "a share")
        check_within("placement: depth_A", self.depth_A, 0, 1e4, "angstrom")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Uniform in the plane, at a face in height; see the base class."""
        for batch in Uniform().propose(n, diameter_A, field, generator):
            xy_A = batch.positions_A[:, :2]
            room_A = field.room_A(xy_A, diameter_A)
            below_A = np.abs(generator.standard_normal(len(xy_A))) * self.depth_A
            side = np.where(generator.uniform(0, 1, len(xy_A)) < self.upper, 1.0, -1.0)
            z_A = side * np.maximum(room_A - below_A, 0.0)
            yield Proposal(np.column_stack([xy_A, z_A]))
