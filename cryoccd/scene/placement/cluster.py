"""Clusters: a Neyman-Scott process (Neyman & Scott 1958) under the hard core."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, at_height, inside


@dataclass(frozen=True)
class Cluster(PlacementLaw):
    """Particles scatter about parents that lie at random.

    Args:
        parents: mean number of parents in the field, Poisson, at least one.
        spread: standard deviation of the offset from the parent, in diameters.
    """

    parents: float = 5.0
    spread: float = 1.5

    def __post_init__(self) -> None:
        check_within("placement: parents", self.parents, 0.1, 1e5, "parents a field")
        check_within("placement: spread", self.spread, 0.1, 1e3, "diameters")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Offspring of one set of parents; wider where they are full; see the base class."""
        parents = generator.uniform(
            field.low_A, field.high_A, (max(1, generator.poisson(self.parents)), 2)
        )
        spread_A = self.spread * diameter_A
        for batch in range(4 * BATCHES):
            chosen = parents[generator.integers(0, len(parents), 2 * n + 64)]
            xy_A = chosen + spread_A * generator.standard_normal(chosen.shape)
            xy_A = xy_A[inside(xy_A, field)]
            yield Proposal(at_height(xy_A, diameter_A, field, generator))
            if batch >= BATCHES:  # no room about the parents: clusters grow at their rims
                spread_A *= 1.05
