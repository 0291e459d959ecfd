"""Flat bilayers seen nearly edge-on, as the membranes of flat cells and organelles are."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.scene.field import Field, Points
from cryoccd.scene.membranes.laws import Bilayer, Membranes, flat_turn, scattered
from cryoccd.scene.membranes.monge import Plane

_WAVES = 4


@dataclass(frozen=True)
class Planes(Membranes):
    """Sheets through the whole depth of the ice.

    Args:
        mean: mean number a field, Poisson.
        lean_deg: least and largest angle between the sheet and the beam; 90 lies flat.
        thickness_A: of the bilayer.
        undulation_A: root mean square height of its waves; 0 is flat.
        wavelength_A: least and largest length of the waves.
    """

    mean: float = 1.0
    lean_deg: tuple[float, float] = (0.0, 30.0)
    thickness_A: float = 50.0
    undulation_A: float = 10.0
    wavelength_A: tuple[float, float] = (800.0, 2000.0)

    def __post_init__(self) -> None:
        check_within("membranes: mean", self.mean, 0, 1000, "a field")
        check_range("membranes: lean_deg", self.lean_deg, 0, 90, "degrees")
        check_within("membranes: thickness_A", self.thickness_A, 20, 200, "angstrom")
        check_range("membranes: wavelength_A", self.wavelength_A, 200, 1e6, "angstrom")
        # the distance from the waves is of first order in their slope
        gentle_A = self.wavelength_A[0] / 20
        check_within("membranes: undulation_A", self.undulation_A, 0, gentle_A, "A, wavelength/20")

    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Sheets through random points; see the base class."""
        across_A = float(np.linalg.norm(field.high_A - field.low_A))

        def make(xy_A: Points) -> Bilayer:
            depth_A = float(field.local_thickness_A(xy_A[None])[0]) / 2
            lean = np.deg2rad(generator.uniform(*self.lean_deg))
            # first axis along the sheet in the plane of the ice, second up the sheet
            own = np.array([[1.0, 0.0, 0.0], [0.0, np.sin(lean), np.cos(lean)]])
            frame = np.column_stack([*own, np.cross(*own)])
            azimuth, phases = generator.uniform(0, 2 * np.pi, (2, _WAVES))
            wavenumber = 2 * np.pi / generator.uniform(*self.wavelength_A, _WAVES)
            return Plane(
                centre_A=np.array([*xy_A, 0.0]),
                frame=flat_turn(generator) @ frame,
                half_sides_A=np.array([across_A, min(depth_A / max(np.cos(lean), 1e-3), across_A)]),
                thickness_A=self.thickness_A,
                amplitude_A=self.undulation_A * np.sqrt(2 / _WAVES),
                waves_rad_per_A=np.column_stack([np.cos(azimuth), np.sin(azimuth)])
                * wavenumber[:, None],
                phases_rad=phases,
            )

        count = int(generator.poisson(self.mean))
        return scattered(count, make, field, taken, generator)
