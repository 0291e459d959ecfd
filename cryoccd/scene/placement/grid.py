"""A hexagonal lattice with jitter, as in a two-dimensional crystal or an array of holes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import PlacementLaw, Proposal, at_height, inside


@dataclass(frozen=True)
class Grid(PlacementLaw):
    """Sites of a hexagonal lattice at a random angle and origin, filled from the centre outwards.

    Args:
        pitch: distance of neighbours in diameters.
        jitter: standard deviation of the position in diameters.
    """

    pitch: float = 1.15
    jitter: float = 0.03

    def __post_init__(self) -> None:
        check_within("placement: pitch", self.pitch, 1, 100, "diameters")
        check_within("placement: jitter", self.jitter, 0, 10, "diameters")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """The sites; a second pass jitters afresh those that touched; see the base class."""
        pitch_A = self.pitch * diameter_A
        centre = (field.low_A + field.high_A) / 2
        reach = int(np.linalg.norm(field.high_A - field.low_A) / pitch_A) + 2
        i, j = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
        sites = np.column_stack([(i + j / 2).ravel(), (j * np.sqrt(3) / 2).ravel()]) * pitch_A
        angle = generator.uniform(0, np.pi / 3)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        sites = sites @ turn.T + generator.uniform(-0.5, 0.5, 2) * pitch_A
        sites = centre + sites[np.linalg.norm(sites, axis=1).argsort()]
        for share in (1.0, 0.5, 0.0):
            offset = generator.standard_normal(sites.shape) * share * self.jitter * diameter_A
            xy_A = sites + offset
            xy_A = xy_A[inside(xy_A, field)]
            yield Proposal(at_height(xy_A, diameter_A, field, generator))
