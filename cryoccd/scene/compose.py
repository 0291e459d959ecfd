"""A scene: which particles lie where in the ice, and how they are turned."""

import dataclasses
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.records import Particles
from cryoccd.scene.field import Field
from cryoccd.scene.orientation import OrientationLaw
from cryoccd.scene.orientation import Uniform as AnyOrientation
from cryoccd.scene.placement import PlacementLaw, Proposal, Uniform
from cryoccd.scene.placement.hard_core import HardCore

_log = logging.getLogger(__name__)
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
    """

    mean: float = 100.0
    sd: float = 0.0
    min_distance_A: float | None = None
    overlap_in_projection: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.mean <= 60000:  # instance labels have 16 bits
            raise CryoccdError(f"particles: mean = {self.mean}, expected 0 to 60000 a micrograph")
        if not 0 <= self.sd <= 60000:
            raise CryoccdError(f"particles: sd = {self.sd}, expected 0 to 60000 a micrograph")
        if self.min_distance_A is not None and not 0 < self.min_distance_A <= 1e5:
            raise CryoccdError(
                f"particles: min_distance_A = {self.min_distance_A}, expected angstrom above 0"
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
    mean_size = float(np.dot(_shares(counted), sizes))
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


def place_particles(
    species: Sequence[SpeciesInScene],
    crowding: CrowdingConfig,
    field: Field,
    generator: np.random.Generator,
) -> Particles:
    """Draw numbers, positions, heights, conformations and orientations of one field.

    Centres lie in the field extended by its margin, at the density of the field, so that particles
    cut by the edge are as frequent as they are in a larger field. Larger species go first, since
    they find no hole later. Where not all find room, a warning says how many did.
    """
    height_A, width_A = (side * field.pixel_size_A for side in field.shape_px)
    spread = float(np.prod(field.high_A - field.low_A)) / (width_A * height_A)
    n = max(0, round(spread * generator.normal(crowding.mean, crowding.sd)))
    counts = np.bincount(
        generator.choice(len(species), size=n, p=_shares(species)), minlength=len(species)
    )
    core = HardCore(in_projection(species, crowding))
    parts = []
    order = sorted(range(len(species)), key=lambda k: -species[k].diameter_A)
    for index in order:
        parts.append(
            _place_one(species[index], index, int(counts[index]), crowding, field, core, generator)
        )
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    positions_A, eulers_deg, kinds, conformation = joined
    return Particles(positions_A, eulers_deg, kinds, conformation)


def _place_one(
    kind: SpeciesInScene,
    index: int,
    wanted: int,
    crowding: CrowdingConfig,
    field: Field,
    core: HardCore,
    generator: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Positions, angles, species and conformations of one species."""
    law = kind.placement
    positions: list[NDArray[np.float64]] = [np.zeros((0, 3))]
    eulers: list[NDArray[np.float64]] = [np.zeros((0, 3))]
    placed = 0
    if wanted or law.counts:
        diameter_A = crowding.min_distance_A or kind.diameter_A
        for proposal in law.propose(wanted, diameter_A, field, generator):
            wanted = len(proposal.positions_A) if law.counts else wanted
            most = wanted - placed
            if law.needs != "membranes":
                proposal = _clear_of_membranes(proposal, kind.diameter_A, field)
            taken = core.take(proposal.positions_A, proposal.group, diameter_A, most)
            positions.append(proposal.positions_A[taken])
            eulers.append(_turned(kind, proposal.rotations, taken, positions[-1], field, generator))
            placed += len(taken)
            if placed >= wanted:
                break
    if placed < wanted:
        _log.warning(
            "%s: %d of %d particles found room (%s)", kind.name, placed, wanted, type(law).__name__
        )
    flexible = kind.conformations > 1
    conformation = (
        generator.integers(1, kind.conformations + 1, placed) if flexible else np.zeros(placed)
    )
    return (
        np.concatenate(positions),
        np.concatenate(eulers),
        np.full(placed, index, dtype=np.int64),
        conformation.astype(np.int64),
    )


def _clear_of_membranes(proposal: Proposal, diameter_A: float, field: Field) -> Proposal:
    """The places whose particle cuts no membrane; of a group all or none."""
    clear = np.ones(len(proposal.positions_A), dtype=bool)
    for surface in field.surfaces:
        apart_A = np.abs(surface.distance_A(proposal.positions_A))
        clear &= apart_A >= (diameter_A + surface.thickness_A) / 2
    if clear.all():
        return proposal
    if proposal.group is not None:
        clear = ~np.isin(proposal.group, proposal.group[~clear])
    rotations = None if proposal.rotations is None else proposal.rotations[clear]
    group = None if proposal.group is None else proposal.group[clear]
    return Proposal(proposal.positions_A[clear], rotations, group)


def _turned(
    kind: SpeciesInScene,
    rotations: NDArray[np.float64] | None,
    taken: NDArray[np.int64],
    positions_A: NDArray[np.float64],
    field: Field,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """(n, 3) angles of the places taken: those of the place, or of the species' own law."""
    if rotations is not None:
        return matrix_to_euler(torch.from_numpy(rotations[taken])).numpy()
    room_A = field.room_A(positions_A[:, :2], kind.diameter_A)
    height = np.clip(positions_A[:, 2] / np.maximum(room_A, 1e-9), -1, 1)
    return kind.orientation.draw(height, generator)


def _shares(species: Sequence[SpeciesInScene]) -> NDArray[np.float64]:
    abundances = np.array([kind.abundance for kind in species], dtype=np.float64)
    return np.asarray(abundances / abundances.sum())
