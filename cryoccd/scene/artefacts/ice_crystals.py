"""Frost: crystals of ice that settled on the specimen after freezing."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.records import Body, Debris
from cryoccd.scene.artefacts.laws import ICE_V, Artefact, Candidates, body_of, on_face, patch_about
from cryoccd.scene.field import Field

DIFFRACTED_PATH_A = 800.0  # Bragg reflections leave the aperture


@dataclass(frozen=True)
class IceCrystals(Artefact):
    """Lumps with ragged outlines and flat facets, dark by what they diffract away.

    Args:
        mean: mean number a field, Poisson.
        radius_A: least and largest radius, uniform.
    """

    mean: float = 1.0
    radius_A: tuple[float, float] = (100.0, 300.0)

    def __post_init__(self) -> None:
        check_within("artefacts: IceCrystals.mean", self.mean, 0, 10000, "a field")
        check_range("artefacts: IceCrystals.radius_A", self.radius_A, 10, 1e5, "angstrom")

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The crystals; see the base class."""
        crystals = []
        for _ in range(int(generator.poisson(self.mean))):
            xy_A = generator.uniform(field.low_A, field.high_A)
            radius_A = float(generator.uniform(*self.radius_A))
            patch = patch_about(field, xy_A, 1.3 * radius_A)
            depth_A = self._facets(patch.x_A - xy_A[0], patch.y_A - xy_A[1], radius_A, generator)
            crystals.append(
                body_of(
                    "ice_crystal",
                    patch,
                    on_face(field, xy_A, generator),
                    depth_A * ICE_V,
                    depth_A > 0,
                    depth_A / DIFFRACTED_PATH_A,
                )
            )
        return tuple(crystals)

    def _facets(
        self, x: np.ndarray, y: np.ndarray, radius_A: float, generator: np.random.Generator
    ) -> np.ndarray:
        """Thickness of a convex body bounded by random planes above a flat base."""
        height = np.full(x.shape, radius_A * generator.uniform(0.6, 1.0))
        corners = int(generator.integers(6, 10))
        azimuth = 2 * np.pi * (np.arange(corners) + generator.uniform(-0.3, 0.3, corners)) / corners
        for angle in azimuth:
            steepness = generator.uniform(1.0, 3.0)
            reach_A = radius_A * generator.uniform(0.75, 1.15)
            along = x * np.cos(angle) + y * np.sin(angle)
            height = np.minimum(height, steepness * (reach_A - along))
        return np.asarray(np.maximum(height, 0.0))
