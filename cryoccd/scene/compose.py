"""A scene: which particles lie where in the ice, and how they are turned."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.geometry import matrix_to_euler
from cryoccd.records import Particles
from cryoccd.scene.crowding import CrowdingConfig, SpeciesInScene, in_projection, shares
from cryoccd.scene.field import Field
from cryoccd.scene.placement import Proposal
from cryoccd.scene.placement.hard_core import HardCore

_log = logging.getLogger(__name__)


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
    if crowding.edge_distance_A is not None:
        field = replace(field, margin_A=-crowding.edge_distance_A)
    height_A, width_A = (side * field.pixel_size_A for side in field.shape_px)
    spread = max(1.0, float(np.prod(field.high_A - field.low_A)) / (width_A * height_A))
    n = max(0, round(spread * generator.normal(crowding.mean, crowding.sd)))
    counts = np.bincount(
        generator.choice(len(species), size=n, p=shares(species)), minlength=len(species)
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
