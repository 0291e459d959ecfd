"""What is placed in a scene, how many of it, and whether it can fit."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.scene.orientation import OrientationLaw
from cryoccd.scene.orientation import Uniform as AnyOrientation
from cryoccd.scene.placement import PlacementLaw, Uniform

_DENSEST = 0.5  # discs placed at random jam at 0.547 of the area
_DENSEST_SOLID = 0.35  # spheres at 0.38 of the volume


@dataclass(frozen=True)
class SpeciesInScene:
    """What placement needs to know of one species.

    Args:
        name: its name.
        diameter_A: its largest extent.
        abundance: its share of the particles, relative to the other species.
        conformations: number of conformations, equally likely; a rigid one has 1.
        placement: where it lies.
        orientation: how it is turned where its place leaves that free.
    """

    name: str
    diameter_A: float
    abundance: float = 1.0
    conformations: int = 1
    placement: PlacementLaw = dataclasses.field(default_factory=Uniform)
    orientation: OrientationLaw = dataclasses.field(default_factory=AnyOrientation)


@dataclass(frozen=True)
class CrowdingConfig:
    """How many particles a micrograph holds.

    Args:
        mean: mean number with their centre in the field.
        sd: standard deviation of that number over micrographs.
        min_distance_A: least distance between centres; by default the mean of the two diameters.
        overlap_in_projection: whether particles may lie above one another; by default only
            filaments, polysomes, clumps, packings and what is bound to membranes may.
        edge_distance_A: least distance of a centre from the edge of the field; by default centres
            lie beyond the edge as well, so that some particles are cut.
    """

    mean: float = 100.0
    sd: float = 0.0
    min_distance_A: float | None = None
    overlap_in_projection: bool = False
    edge_distance_A: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.mean <= 60000:  # instance labels have 16 bits
            raise CryoccdError(f"particles: mean = {self.mean}, expected 0 to 60000 a micrograph")
        if not 0 <= self.sd <= 60000:
            raise CryoccdError(f"particles: sd = {self.sd}, expected 0 to 60000 a micrograph")
        if self.min_distance_A is not None and not 0 < self.min_distance_A <= 1e5:
            raise CryoccdError(
                f"particles: min_distance_A = {self.min_distance_A}, expected angstrom above 0"
            )
        if self.edge_distance_A is not None and not 0 <= self.edge_distance_A <= 1e5:
            raise CryoccdError(
                f"particles: edge_distance_A = {self.edge_distance_A}, expected 0 or more angstrom"
            )


def in_projection(species: Sequence[SpeciesInScene], crowding: CrowdingConfig) -> bool:
    """Whether no two particles may overlap in projection; one solid law frees all."""
    return not (crowding.overlap_in_projection or any(k.placement.solid for k in species))


def check_density(
    species: Sequence[SpeciesInScene],
    crowding: CrowdingConfig,
    area_A2: float,
    thickness_A: float,
) -> None:
    """Refuse a number of particles that cannot be placed.

    Args:
        species: the species; those whose law decides the number do not count.
        crowding: the number and its hard core.
        area_A2: area of the field.
        thickness_A: mean thickness of the ice.

    Raises:
        CryoccdError: the hard discs would cover more than half of the field, or the hard spheres
            fill more than 35 % of the ice.
    """
    counted = [kind for kind in species if not kind.placement.counts]
    if not counted:
        return
    flat = in_projection(species, crowding)
    cores = [crowding.min_distance_A or kind.diameter_A for kind in counted]
    sizes = [pi / 4 * core**2 if flat else pi / 6 * core**3 for core in cores]
    mean_size = float(np.dot(shares(counted), sizes))
    room = area_A2 * _DENSEST if flat else area_A2 * max(thickness_A, max(cores)) * _DENSEST_SOLID
    if crowding.mean * mean_size > room:
        share = f"{_DENSEST:.0%} of its area" if flat else f"{_DENSEST_SOLID:.0%} of the ice"
        raise CryoccdError(
            f"particles: mean = {crowding.mean:g} does not fit the field, expected at most "
            f"{int(room / mean_size)} ({share}); lower mean or min_distance_A, or enlarge shape_px"
        )


def check_needs(species: Sequence[SpeciesInScene], has: Collection[str]) -> None:
    """Refuse a law that needs what the scenes never have.

    Args:
        species: the species with their laws.
        has: which of "membranes" and "backdrop" the scenes have.

    Raises:
        CryoccdError: it names the species, the law and the mend.
    """
    for kind in species:
        needs = kind.placement.needs
        if needs and needs not in has:
            raise CryoccdError(
                f"species {kind.name}: {type(kind.placement).__name__} needs {needs}, and the "
                f"scene has none; add `{needs}` to the config, or another placement to the species"
            )


def shares(species: Sequence[SpeciesInScene]) -> NDArray[np.float64]:
    """(n,) abundances that sum to 1."""
    abundances = np.array([kind.abundance for kind in species], dtype=np.float64)
    return np.asarray(abundances / abundances.sum())
