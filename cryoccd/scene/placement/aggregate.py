"""Clumps of touching particles: each sticks where it first meets the clump (Eden 1961)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, inside

_TRIES = 50
_CONTACT = 1.001  # diameters


@dataclass(frozen=True)
class Aggregate(PlacementLaw):
    """Clumps in the ice.

    Args:
        size: particles a clump.
    """

    size: int = 8

    solid: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_within("placement: size", self.size, 1, 10000, "particles a clump")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """One clump after the other; see the base class."""
        for _ in range(2 * BATCHES * (2 + n // self.size)):
            centres = clump(self.size, diameter_A, field, generator)
            yield Proposal(centres, group=np.zeros(len(centres), dtype=np.int64))


def clump(
    size: int, diameter_A: float, field: Field, generator: np.random.Generator
) -> NDArray[np.float64]:
    """(m, 3) centres, m <= size, each at contact with an earlier one and inside the ice."""
    xy_A = generator.uniform(field.low_A, field.high_A)
    room_A = float(field.room_A(xy_A[None], diameter_A)[0])
    centres = np.array([[*xy_A, room_A * generator.uniform(-1, 1)]])
    for _ in range(_TRIES * size):
        if len(centres) == size:
            break
        direction = generator.standard_normal(3)
        partner = centres[generator.integers(len(centres))]
        point = partner + _CONTACT * diameter_A * direction / np.linalg.norm(direction)
        room_A = float(field.room_A(point[None, :2], diameter_A)[0])
        if not inside(point[None, :2], field)[0] or abs(point[2]) > max(room_A, 1e-9):
            if room_A > 0:
                continue
            flat = np.array([*direction[:2], 0.0])  # no room in height: the clump is a sheet
            point = partner + _CONTACT * diameter_A * flat / np.linalg.norm(flat)
            if not inside(point[None, :2], field)[0]:
                continue
        if (np.linalg.norm(centres - point, axis=1) >= diameter_A).all():
            centres = np.vstack([centres, point])
    return centres
