"""What every law of placement is: a stream of proposals, of which the hard core takes what fits."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.scene.field import Field


@dataclass(frozen=True)
class Proposal:
    """A batch of m places for particles of one species.

    Args:
        positions_A: (m, 3) centres x, y, z.
        rotations: (m, 3, 3) matrices A (see geometry.py) where the place decides the orientation;
            None where the species' own law of orientation does.
        group: (m,) places of one group are taken together or not at all, and keep their own
            distances to one another (the subunits of a filament); None: each place is a group.
    """

    positions_A: NDArray[np.float64]
    rotations: NDArray[np.float64] | None = None
    group: NDArray[np.int64] | None = None


class PlacementLaw(ABC):
    """Proposes where the particles of one species lie."""

    @abstractmethod
    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Batches of places, in the order in which they are tried, until the law knows no more.

        Args:
            n: number of particles wanted; a batch may hold more or fewer.
            diameter_A: hard-core diameter of the species.
            field: the room.
            generator: source of randomness.
        """
