"""Membrane tubes."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.scene.field import Field, Points
from cryoccd.scene.membranes.laws import Bilayer, Membranes, flat_turn, scattered
from cryoccd.scene.membranes.surfaces import Tube


@dataclass(frozen=True)
class Tubes(Membranes):
    """Straight tubes that lie in the ice and cross the field.

    Args:
        mean: mean number a field, Poisson.
        radius_A: least and largest radius of the middle surface, cut to what the ice can hold.
        thickness_A: of the bilayer.
    """

    mean: float = 2.0
    radius_A: tuple[float, float] = (120.0, 250.0)
    thickness_A: float = 50.0

    def __post_init__(self) -> None:
        check_within("membranes: mean", self.mean, 0, 1000, "a field")
        check_range("membranes: radius_A", self.radius_A, 50, 1e5, "angstrom")
        check_within("membranes: thickness_A", self.thickness_A, 20, 200, "angstrom")

    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Tubes through random points; see the base class."""
        half_A = float(np.linalg.norm(field.high_A - field.low_A))

        def make(xy_A: Points) -> Bilayer:
            most_A = float(field.local_thickness_A(xy_A[None])[0]) / 2 - self.thickness_A
            radius_A = max(50.0, min(generator.uniform(*self.radius_A), most_A))
            centre = np.array([*xy_A, 0.0])
            return Tube(centre, flat_turn(generator), radius_A, half_A, self.thickness_A)

        count = int(generator.poisson(self.mean))
        return scattered(count, make, field, taken, generator)
