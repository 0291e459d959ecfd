"""Gold beads, the fiducials of tomography.

Mean inner potential of gold 28 V (Schowalter et al. 2006, 25 to 30 V); what is scattered beyond the
aperture is lost with a mean free path of about 300 A at 300 kV.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.records import Body, Debris
from cryoccd.scene.artefacts.laws import ICE_V, Artefact, Candidates, body_of, on_face, patch_about
from cryoccd.scene.field import Field

GOLD_V = 28.0
GOLD_PATH_A = 300.0


@dataclass(frozen=True)
class GoldBeads(Artefact):
    """Spheres of gold on the faces of the ice.

    Args:
        mean: mean number a field, Poisson.
        radius_A: least and largest radius, uniform.
    """

    mean: float = 3.0
    radius_A: tuple[float, float] = (50.0, 50.0)

    flat: ClassVar[bool] = False
    round: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_within("artefacts: GoldBeads.mean", self.mean, 0, 10000, "a field")
        check_range("artefacts: GoldBeads.radius_A", self.radius_A, 5, 1000, "angstrom")

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The beads; see the base class."""
        beads = []
        for _ in range(int(generator.poisson(self.mean))):
            xy_A = generator.uniform(field.low_A, field.high_A)
            radius_A = float(generator.uniform(*self.radius_A))
            patch = patch_about(field, xy_A, radius_A + 2 * field.pixel_size_A)
            apart2 = (patch.x_A - xy_A[0]) ** 2 + (patch.y_A - xy_A[1]) ** 2
            depth_A = 2 * np.sqrt(np.maximum(radius_A**2 - apart2, 0.0))
            beads.append(
                body_of(
                    "gold_bead",
                    patch,
                    on_face(field, xy_A, generator),
                    depth_A * (GOLD_V - ICE_V),
                    depth_A > 0,
                    depth_A / GOLD_PATH_A,
                )
            )
        return tuple(beads)
