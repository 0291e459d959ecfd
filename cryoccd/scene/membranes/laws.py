"""What every law of membranes is, and how it finds room."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.scene.field import Field, Points, Surface

_log = logging.getLogger(__name__)
_TRIES = 60
_PROBES = 2000  # points of one membrane at which the distance from another is taken


class Bilayer(Surface, Protocol):
    """A surface with a place and an extent."""

    @property
    def centre_A(self) -> Points:
        """(3,) its middle."""

    @property
    def reach_A(self) -> Points:
        """(3,) half extents of its bounding box."""

    def side_A(self, points_A: Points) -> NDArray[np.float64]:
        """(n,) signed distance of (n, 3) points from the surface, smoothly continued past rims."""

    def rim_A(self, points_A: Points) -> NDArray[np.float64] | None:
        """(n,) distance of (n, 3) points from the rim, positive inside; None without a rim."""


class Membranes(ABC):
    """Draws the membranes of one field."""

    @abstractmethod
    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Membranes inside the ice that touch neither one another nor those already taken.

        Fewer are drawn where no more find room; a warning says so.
        """


def scattered(
    count: int,
    make: Callable[[Points], Bilayer],
    field: Field,
    taken: tuple[Bilayer, ...],
    generator: np.random.Generator,
) -> tuple[Bilayer, ...]:
    """Up to `count` membranes at random places clear of all others."""
    drawn: list[Bilayer] = []
    for _ in range(_TRIES * count):
        if len(drawn) == count:
            break
        made = make(generator.uniform(field.low_A, field.high_A))
        if all(_apart(made, other, generator) for other in (*taken, *drawn)):
            drawn.append(made)
    if len(drawn) < count:
        _log.warning("membranes: %d of %d found room", len(drawn), count)
    return tuple(drawn)


def flat_turn(generator: np.random.Generator) -> NDArray[np.float64]:
    """(3, 3) a turn about z by any angle."""
    turn: NDArray[np.float64] = Rotation.from_euler(
        "z", generator.uniform(0, 2 * np.pi)
    ).as_matrix()
    return turn


def _apart(one: Bilayer, other: Bilayer, generator: np.random.Generator) -> bool:
    """Whether two neither cross nor touch, nor one lies in the other's inside."""
    if (np.abs(one.centre_A - other.centre_A) > one.reach_A + other.reach_A).any():
        return True
    gap_A = (one.thickness_A + other.thickness_A) / 2
    for surface, probed in ((one, other), (other, one)):
        distance_A = surface.distance_A(probed.sample(_PROBES, generator)[0])
        enclosed = surface.rim_A(probed.centre_A[None]) is None and distance_A.min() < gap_A
        if enclosed or np.abs(distance_A).min() < gap_A:
            return False
    return True
