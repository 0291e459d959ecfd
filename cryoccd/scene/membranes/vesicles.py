"""Vesicles: spherical bilayers."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.scene.field import Field, Points
from cryoccd.scene.membranes.laws import Bilayer, Membranes, scattered
from cryoccd.scene.membranes.surfaces import Ellipsoid


@dataclass(frozen=True)
class Vesicles(Membranes):
    """Spheres at random places, in the middle of the ice.

    Args:
        mean: mean number a field, Poisson.
        radius_A: least and largest radius of the middle surface, uniform; cut to what the ice
            can hold.
        thickness_A: of the bilayer.
    """

    mean: float = 3.0
    radius_A: tuple[float, float] = (200.0, 500.0)
    thickness_A: float = 50.0

    def __post_init__(self) -> None:
        check_within("membranes: mean", self.mean, 0, 1000, "a field")
        check_range("membranes: radius_A", self.radius_A, 50, 1e5, "angstrom, for example 300")
        check_within("membranes: thickness_A", self.thickness_A, 20, 200, "angstrom")

    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Spheres; see the base class."""

        def make(xy_A: Points) -> Bilayer:
            most_A = float(field.local_thickness_A(xy_A[None])[0]) / 2 - self.thickness_A
            radius_A = max(50.0, min(generator.uniform(*self.radius_A), most_A))
            centre = np.array([*xy_A, 0.0])
            return Ellipsoid(centre, np.eye(3), np.full(3, radius_A), self.thickness_A)

        count = int(generator.poisson(self.mean))
        return scattered(count, make, field, taken, generator)
