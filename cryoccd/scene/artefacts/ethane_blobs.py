"""Drops of frozen ethane: soft, round, on the surface."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.records import Body, Debris
from cryoccd.scene.artefacts.laws import Artefact, Candidates, body_of, on_face, patch_about
from cryoccd.scene.field import Field
from cryoccd.specimen.scattering import mean_inner_potential_V

ETHANE_V = mean_inner_potential_V({"C": 2, "H": 6}, 0.65)  # 5.1 V, isolated atoms as for the ice
ETHANE_PATH_A = 4000.0


@dataclass(frozen=True)
class EthaneBlobs(Artefact):
    """Caps on the faces of the ice, thickest in their middle.

    Args:
        mean: mean number a field, Poisson.
        radius_A: least and largest radius, uniform.
        aspect: thickness in the middle over the radius.
    """

    mean: float = 1.0
    radius_A: tuple[float, float] = (150.0, 400.0)
    aspect: float = 0.4

    def __post_init__(self) -> None:
        check_within("artefacts: EthaneBlobs.mean", self.mean, 0, 10000, "a field")
        check_range("artefacts: EthaneBlobs.radius_A", self.radius_A, 10, 1e5, "angstrom")
        check_within("artefacts: EthaneBlobs.aspect", self.aspect, 0.01, 2, "a ratio")

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The blobs; see the base class."""
        blobs = []
        for _ in range(int(generator.poisson(self.mean))):
            xy_A = generator.uniform(field.low_A, field.high_A)
            radius_A = float(generator.uniform(*self.radius_A))
            patch = patch_about(field, xy_A, radius_A)
            apart = np.hypot(patch.x_A - xy_A[0], patch.y_A - xy_A[1]) / radius_A
            cap = np.cos(np.pi / 2 * np.minimum(apart, 1.0)) ** 2
            depth_A = self.aspect * radius_A * cap
            at_A = on_face(field, xy_A, generator)
            blobs.append(
                body_of(
                    "ethane_blob",
                    patch,
                    at_A,
                    depth_A * ETHANE_V,
                    cap > 0.1,
                    depth_A / ETHANE_PATH_A,
                )
            )
        return tuple(blobs)
