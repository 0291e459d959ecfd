"""A scene: which particles lie where in the ice, and how they are turned."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.records import Particles, Scene
from cryoccd.scene.ice import IceConfig, draw_thickness_A
from cryoccd.scene.orientation import uniform_so3
from cryoccd.scene.placement import place

_log = logging.getLogger(__name__)
_DENSEST = 0.5  # discs placed at random jam at 0.547 of the area


@dataclass(frozen=True)
class SpeciesInScene:
    """What placement needs to know of one species.

    Args:
        name: its name.
        diameter_A: its largest extent.
        abundance: its share of the particles, relative to the other species.
    """

    name: str
    diameter_A: float
    abundance: float = 1.0


@dataclass(frozen=True)
class CrowdingConfig:
    """How many particles a micrograph holds.

    Args:
        mean: mean number with their centre in the field.
        sd: standard deviation of that number over micrographs.
        min_distance_A: least distance between centres; by default the mean of the two diameters.
    """

    mean: float = 100.0
    sd: float = 0.0
    min_distance_A: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.mean <= 60000:  # instance labels have 16 bits
            raise CryoccdError(f"particles: mean = {self.mean}, expected 0 to 60000 a micrograph")
        if not 0 <= self.sd <= 60000:
            raise CryoccdError(f"particles: sd = {self.sd}, expected 0 to 60000 a micrograph")
        if self.min_distance_A is not None and not 0 < self.min_distance_A <= 1e5:
            raise CryoccdError(
                f"particles: min_distance_A = {self.min_distance_A}, expected angstrom above 0"
            )


def check_density(
    species: Sequence[SpeciesInScene], crowding: CrowdingConfig, area_A2: float
) -> None:
    """Refuse a number of particles that random placement cannot reach.

    Raises:
        CryoccdError: the hard discs would cover more than half of the field.
    """
    shares = _shares(species)
    discs_A2 = sum(
        share * pi / 4 * (crowding.min_distance_A or kind.diameter_A) ** 2
        for share, kind in zip(shares, species, strict=True)
    )
    if crowding.mean * discs_A2 > _DENSEST * area_A2:
        most = int(_DENSEST * area_A2 / discs_A2)
        raise CryoccdError(
            f"particles: mean = {crowding.mean:g} does not fit the field, expected at most {most} "
            f"({_DENSEST:.0%} of its area); lower mean or min_distance_A, or enlarge shape_px"
        )


def compose_scene(
    species: Sequence[SpeciesInScene],
    crowding: CrowdingConfig,
    ice: IceConfig,
    shape_px: tuple[int, int],
    pixel_size_A: float,
    generator: np.random.Generator,
) -> Scene:
    """Draw ice, numbers, positions, heights and orientations of one field.

    Centres lie in the field extended by the largest radius, at the density of the field, so that
    particles cut by the edge are as frequent as they are in a larger field. Heights are uniform
    where a particle still lies inside the ice; one that is larger than the ice sits in its middle.
    """
    thickness_A = draw_thickness_A(ice, shape_px, generator)
    margin_A = max(kind.diameter_A for kind in species) / 2
    low_A = -pixel_size_A / 2 - margin_A  # pixel [0, 0] begins half a pixel before its centre
    height_A, width_A = (side * pixel_size_A for side in shape_px)
    spread = (width_A + 2 * margin_A) * (height_A + 2 * margin_A) / (width_A * height_A)
    n = max(0, round(spread * generator.normal(crowding.mean, crowding.sd)))

    kinds = generator.choice(len(species), size=n, p=_shares(species)).astype(np.int64)
    diameters_A = np.array([kind.diameter_A for kind in species])[kinds]
    cores_A = np.full(n, crowding.min_distance_A) if crowding.min_distance_A else diameters_A
    high_A = (low_A + width_A + 2 * margin_A, low_A + height_A + 2 * margin_A)
    centres_A, fitted = place(cores_A, (low_A, low_A), high_A, generator)
    if not fitted.all():
        _log.warning("%d of %d particles found room in the field", fitted.sum(), n)
    centres_A, kinds, diameters_A = centres_A[fitted], kinds[fitted], diameters_A[fitted]

    room_A = np.maximum(_local(thickness_A, centres_A, pixel_size_A) - diameters_A, 0.0)
    z_A = room_A * generator.uniform(-0.5, 0.5, len(kinds))
    particles = Particles(
        positions_A=np.column_stack([centres_A, z_A]),
        eulers_deg=uniform_so3(len(kinds), generator),
        species=kinds,
        conformation=np.zeros(len(kinds), dtype=np.int64),
    )
    names = tuple(kind.name for kind in species)
    return Scene(particles, names, thickness_A, shape_px, pixel_size_A)


def _shares(species: Sequence[SpeciesInScene]) -> NDArray[np.float64]:
    abundances = np.array([kind.abundance for kind in species], dtype=np.float64)
    return np.asarray(abundances / abundances.sum())


def _local(
    thickness_A: NDArray[np.float32], centres_A: NDArray[np.float64], pixel_size_A: float
) -> NDArray[np.float64]:
    """Thickness at each centre; outside the field that of the nearest edge."""
    cells = np.floor((centres_A / pixel_size_A + 0.5) / 8).astype(int)
    rows = cells[:, 1].clip(0, thickness_A.shape[0] - 1)
    columns = cells[:, 0].clip(0, thickness_A.shape[1] - 1)
    return np.asarray(thickness_A[rows, columns], dtype=np.float64)
