"""Flattened vesicles."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.scene.field import Field, Points
from cryoccd.scene.membranes.laws import Bilayer, Membranes, flat_turn, scattered
from cryoccd.scene.membranes.surfaces import Ellipsoid


@dataclass(frozen=True)
class Ellipsoids(Membranes):
    """Ellipsoids that lie flat in the ice, at any angle in its plane.

    Args:
        mean: mean number a field, Poisson.
        semi_axis_A: least and largest semi-axis in the plane, drawn twice.
        flatness: height over the smaller of the two, cut to what the ice can hold.
        thickness_A: of the bilayer.
    """

    mean: float = 3.0
    semi_axis_A: tuple[float, float] = (200.0, 500.0)
    flatness: float = 0.7
    thickness_A: float = 50.0

    def __post_init__(self) -> None:
        check_within("membranes: mean", self.mean, 0, 1000, "a field")
        check_range("membranes: semi_axis_A", self.semi_axis_A, 50, 1e5, "angstrom")
        check_within("membranes: flatness", self.flatness, 0.1, 1, "a ratio")
        check_within("membranes: thickness_A", self.thickness_A, 20, 200, "angstrom")

    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Ellipsoids; see the base class."""

        def make(xy_A: Points) -> Bilayer:
            in_plane = generator.uniform(*self.semi_axis_A, 2)
            most_A = float(field.local_thickness_A(xy_A[None])[0]) / 2 - self.thickness_A
            height_A = max(50.0, min(self.flatness * in_plane.min(), most_A))
            axes = np.array([*in_plane, height_A])
            return Ellipsoid(np.array([*xy_A, 0.0]), flat_turn(generator), axes, self.thickness_A)

        count = int(generator.poisson(self.mean))
        return scattered(count, make, field, taken, generator)
