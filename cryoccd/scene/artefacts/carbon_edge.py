"""The rim of a hole in the carbon film.

Amorphous carbon has a mean inner potential of about 9.1 V at 1.8 g/cm3 (Wanner et al. 2006) and
loses electrons with a mean free path of about 2000 A. Its grain is a field of random atoms, white
up to atomic size.
"""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.records import Body, Debris
from cryoccd.scene.artefacts.laws import BORDER_A, ICE_V, Artefact, Candidates, Patch, body_of
from cryoccd.scene.field import Field

CARBON_V = 9.1
CARBON_PATH_A = 2000.0
CARBON_PER_A3 = 0.09
CARBON_V_A3 = 120.0  # integral of one atom's potential: 47.9 V A^2 times f_e(0) = 2.5 A
GRAIN = 0.3  # of independent atoms: bonds keep them apart


@dataclass(frozen=True)
class CarbonEdge(Artefact):
    """Carbon on one side of an arc that crosses the field.

    Args:
        probability: share of the fields that show it.
        coverage: least and largest share of the field's width that is covered.
        hole_radius_A: radius of the hole, 6000 for an R1.2/1.3 grid.
        thickness_A: least and largest thickness of the film.
    """

    probability: float = 1.0
    coverage: tuple[float, float] = (0.1, 0.35)
    hole_radius_A: float = 6000.0
    thickness_A: tuple[float, float] = (100.0, 200.0)

    def __post_init__(self) -> None:
        check_within("artefacts: CarbonEdge.probability", self.probability, 0, 1, "a share")
        check_range("artefacts: CarbonEdge.coverage", self.coverage, 0, 1, "of the field's width")
        check_within(
            "artefacts: CarbonEdge.hole_radius_A", self.hole_radius_A, 100, 1e6, "angstrom"
        )
        check_range("artefacts: CarbonEdge.thickness_A", self.thickness_A, 5, 2000, "angstrom")

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """No or one film; see the base class."""
        if generator.uniform() >= self.probability:
            return ()
        size_A = np.array(field.shape_px[::-1]) * field.pixel_size_A
        azimuth = generator.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(azimuth), np.sin(azimuth)])
        half_A = np.abs(direction) @ size_A / 2
        rim_A = half_A * (1 - 2 * generator.uniform(*self.coverage))
        hole_A = size_A / 2 + direction * (rim_A - self.hole_radius_A)
        margin = round(max(field.margin_A, BORDER_A) / field.pixel_size_A)
        rows, columns = (
            np.arange(-margin, side + margin) * field.pixel_size_A for side in field.shape_px
        )
        y_A, x_A = np.meshgrid(rows, columns, indexing="ij")
        patch = Patch(-margin, -margin, x_A, y_A)
        beyond_A = np.hypot(x_A - hole_A[0], y_A - hole_A[1]) - self.hole_radius_A
        covered = np.clip(beyond_A / (2 * field.pixel_size_A) + 0.5, 0, 1)
        thickness_A = float(generator.uniform(*self.thickness_A))
        atoms = CARBON_PER_A3 * thickness_A * field.pixel_size_A**2
        grain = GRAIN * np.sqrt(atoms) * CARBON_V_A3 / field.pixel_size_A**2
        potential = thickness_A * (CARBON_V - ICE_V) + grain * generator.standard_normal(x_A.shape)
        inside = covered > 0.5
        if not inside.any():
            return ()
        centre = float(x_A[inside].mean()), float(y_A[inside].mean())
        z_A = -float(field.thickness_A.mean()) / 2
        loss = covered * thickness_A / CARBON_PATH_A
        return (body_of("carbon_edge", patch, (*centre, z_A), covered * potential, inside, loss),)
