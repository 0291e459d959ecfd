"""Domains of crystalline ice within the vitreous layer: lattice fringes of 3.67 to 3.90 angstrom.

The strongest rings of hexagonal ice are (100) at 3.90, (002) at 3.67 and (101) at 3.44 angstrom
(Dowell & Rinfret, Nature 188, 1144, 1960). Each grain is seen along a zone axis, [001] with three
waves of 3.90 at 60 degrees or [010] with (100) across (002) and (101) between them, and has an
orientation of its own in the plane, so that the power spectrum shows spots, and over many grains
the ring.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.records import Body, Debris
from cryoccd.scene.artefacts.laws import Artefact, Candidates, body_of, on_face, patch_about
from cryoccd.scene.field import Field

SPACINGS_A = (3.90, 3.67, 3.44)
_ZONES = (  # spacing in angstrom and direction in degrees of each wave
    ((3.90, 0.0), (3.90, 60.0), (3.90, 120.0)),
    ((3.90, 0.0), (3.67, 90.0), (3.44, 28.0), (3.44, -28.0)),
)
FRINGE_V = 0.6  # amplitude of one lattice wave's potential


@dataclass(frozen=True)
class CrystallinePatches(Artefact):
    """Round domains of several grains.

    Args:
        mean: mean number a field, Poisson.
        radius_A: least and largest radius, uniform.
        grain_A: mean size of a grain.
        depth_A: thickness of the crystalline layer.
    """

    mean: float = 1.0
    radius_A: tuple[float, float] = (80.0, 250.0)
    grain_A: float = 80.0
    depth_A: float = 60.0

    finest_A: ClassVar[float] = SPACINGS_A[1]

    def __post_init__(self) -> None:
        check_within("artefacts: CrystallinePatches.mean", self.mean, 0, 10000, "a field")
        check_range("artefacts: CrystallinePatches.radius_A", self.radius_A, 10, 1e5, "angstrom")
        check_within("artefacts: CrystallinePatches.grain_A", self.grain_A, 10, 1e5, "angstrom")
        check_within("artefacts: CrystallinePatches.depth_A", self.depth_A, 1, 5000, "angstrom")

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The domains; see the base class."""
        self.check(field.pixel_size_A)
        domains = []
        for _ in range(int(generator.poisson(self.mean))):
            xy_A = generator.uniform(field.low_A, field.high_A)
            radius_A = float(generator.uniform(*self.radius_A))
            patch = patch_about(field, xy_A, radius_A)
            apart = np.hypot(patch.x_A - xy_A[0], patch.y_A - xy_A[1])
            inside = apart < radius_A
            grains = max(1, round((radius_A / self.grain_A) ** 2 * 4))
            seeds = xy_A + generator.uniform(-radius_A, radius_A, (grains, 2))
            nearest = (
                (patch.x_A[..., None] - seeds[:, 0]) ** 2
                + (patch.y_A[..., None] - seeds[:, 1]) ** 2
            ).argmin(-1)
            angle = generator.uniform(0, np.pi, grains)[nearest]
            zone = generator.integers(0, len(_ZONES), grains)[nearest]
            waves = np.zeros(patch.x_A.shape)
            for index, lattice in enumerate(_ZONES):
                for spacing_A, turn_deg in lattice:
                    if 2 * field.pixel_size_A < spacing_A:
                        direction = angle + np.deg2rad(turn_deg)
                        along = patch.x_A * np.cos(direction) + patch.y_A * np.sin(direction)
                        waves += (zone == index) * np.cos(2 * np.pi * along / spacing_A)
            potential = FRINGE_V * self.depth_A * waves * inside
            at_A = on_face(field, xy_A, generator)
            domains.append(body_of("crystalline_ice", patch, at_A, potential, inside))
        return tuple(domains)
