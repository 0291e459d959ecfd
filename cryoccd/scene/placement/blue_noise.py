"""Blue noise: particles that repel each other.

Mitchell's best candidate (SIGGRAPH 1991): of several random points the one farthest from all that
are placed is taken, so that the spectrum of the points is empty at low frequency.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import PlacementLaw, Proposal, at_height
from cryoccd.scene.placement.uniform import Uniform

_REBUILD = 64  # points between two builds of the tree


@dataclass(frozen=True)
class BlueNoise(PlacementLaw):
    """Evenly spread and yet without order.

    Args:
        candidates: random points of which the farthest is taken; 1 is uniform.
    """

    candidates: int = 20

    def __post_init__(self) -> None:
        check_within("placement: candidates", self.candidates, 1, 1000, "random points a particle")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """One spread batch, then uniform ones; see the base class."""
        wanted = n + n // 4 + 8
        points = np.empty((wanted, 2))
        tree: cKDTree | None = None
        built = 0
        for index in range(wanted):
            tries = generator.uniform(field.low_A, field.high_A, (self.candidates, 2))
            distance = np.full(self.candidates, np.inf)
            if tree is not None:
                distance = tree.query(tries)[0]
            recent = points[built:index]
            if len(recent):
                apart = np.linalg.norm(tries[:, None] - recent, axis=2).min(axis=1)
                distance = np.minimum(distance, apart)
            points[index] = tries[distance.argmax()]
            if index - built >= _REBUILD:
                tree, built = cKDTree(points[: index + 1]), index + 1
        yield Proposal(at_height(points, diameter_A, field, generator))
        yield from Uniform().propose(n, diameter_A, field, generator)
