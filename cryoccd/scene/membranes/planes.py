"""Flat bilayers seen nearly edge-on, as the membranes of flat cells and organelles are."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from cryoccd.errors import check_range, check_within
from cryoccd.scene.field import Field
from cryoccd.scene.membranes.laws import Bilayer, Membranes
from cryoccd.scene.membranes.surfaces import Plane


@dataclass(frozen=True)
class Planes(Membranes):
    """Sheets through the whole depth of the ice.

    Args:
        mean: mean number a field, Poisson.
        lean_deg: least and largest angle between the sheet and the beam; 90 lies flat.
        thickness_A: of the bilayer.
    """

    mean: float = 1.0
    lean_deg: tuple[float, float] = (0.0, 30.0)
    thickness_A: float = 50.0

    def __post_init__(self) -> None:
        check_within("membranes: mean", self.mean, 0, 1000, "a field")
        check_range("membranes: lean_deg", self.lean_deg, 0, 90, "degrees")
        check_within("membranes: thickness_A", self.thickness_A, 20, 200, "angstrom")

    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Sheets through random points; see the base class."""
        drawn: list[Bilayer] = []
        across_A = float(np.linalg.norm(field.high_A - field.low_A))
        for _ in range(int(generator.poisson(self.mean))):
            xy_A = generator.uniform(field.low_A, field.high_A)
            depth_A = float(field.local_thickness_A(xy_A[None])[0]) / 2
            lean = np.deg2rad(generator.uniform(*self.lean_deg))
            # first axis along the sheet in the plane of the ice, second up the sheet
            own = np.array([[1.0, 0.0, 0.0], [0.0, np.sin(lean), np.cos(lean)]])
            frame = np.column_stack([*own, np.cross(*own)])
            azimuth = Rotation.from_euler("z", generator.uniform(0, 2 * np.pi)).as_matrix()
            up_A = min(depth_A / max(np.cos(lean), 1e-3), across_A)
            half = np.array([across_A, up_A])
            centre = np.array([*xy_A, 0.0])
            drawn.append(Plane(centre, azimuth @ frame, half, self.thickness_A))
        return tuple(drawn)
