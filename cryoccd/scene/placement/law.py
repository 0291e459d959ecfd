"""What every law of placement is: a stream of proposals, of which the hard core takes what fits."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

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
    """Proposes where the particles of one species lie.

    Attributes:
        solid: whether the law needs the hard core in three dimensions; else that of the set's
            `overlap_in_projection` holds.
        counts: whether the law itself decides how many there are: all its places are wanted.
        needs: what the scene must have: "", "membranes" or "backdrop".
    """

    solid: ClassVar[bool] = False
    counts: ClassVar[bool] = False
    needs: ClassVar[str] = ""

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


BATCHES = 30
"""So often a random law proposes before it gives up."""


def at_height(
    xy_A: NDArray[np.float64], diameter_A: float, field: Field, generator: np.random.Generator
) -> NDArray[np.float64]:
    """(m, 3) points over (m, 2) ones, uniform in height where a particle lies inside the ice."""
    z_A = field.room_A(xy_A, diameter_A) * generator.uniform(-1, 1, len(xy_A))
    return np.column_stack([xy_A, z_A])


def inside(xy_A: NDArray[np.float64], field: Field) -> NDArray[np.bool_]:
    """Which of (m, 2) points lie in the field and its margin."""
    return np.asarray(((xy_A >= field.low_A) & (xy_A <= field.high_A)).all(axis=1))
