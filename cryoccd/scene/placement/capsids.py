"""Large bodies that keep their distance, as virus particles do."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import PlacementLaw, Proposal
from cryoccd.scene.placement.uniform import Uniform


@dataclass(frozen=True)
class Capsids(PlacementLaw):
    """Uniform, with a minimum distance between two of the species.

    Args:
        distance: least distance of two centres in diameters, above 1.
    """

    distance: float = 1.1

    def __post_init__(self) -> None:
        check_within("placement: distance", self.distance, 1, 100, "diameters")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Uniform batches thinned to the distance; see the base class."""
        kept = np.zeros((0, 2))
        least_A = self.distance * diameter_A
        for batch in Uniform().propose(n, diameter_A, field, generator):
            for point in batch.positions_A:
                if len(kept) >= 4 * n:
                    return
                if (np.linalg.norm(kept - point[:2], axis=1) >= least_A).all():
                    kept = np.vstack([kept, point[:2]])
                    yield Proposal(point[None])
