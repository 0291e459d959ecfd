"""What every law of membranes is, and how it finds room."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.scene.field import Field, Surface

_TRIES = 60


class Bilayer(Surface, Protocol):
    """A surface with a place and an extent."""

    @property
    def centre_A(self) -> NDArray[np.float64]:
        """(3,) its middle."""

    @property
    def reach_A(self) -> NDArray[np.float64]:
        """(3,) half extents of its bounding box."""


class Membranes(ABC):
    """Draws the membranes of one field."""

    @abstractmethod
    def draw(
        self, field: Field, taken: tuple[Bilayer, ...], generator: np.random.Generator
    ) -> tuple[Bilayer, ...]:
        """Membranes inside the ice that touch neither one another nor those already taken.

        Fewer are drawn where no more find room.
        """


def scattered(
    count: int,
    make: Callable[[NDArray[np.float64]], Bilayer],
    radius_A: Callable[[Bilayer], float],
    field: Field,
    taken: tuple[Bilayer, ...],
    generator: np.random.Generator,
) -> tuple[Bilayer, ...]:
    """Up to `count` membranes at random places whose bounding spheres in the plane are free."""
    drawn: list[Bilayer] = []
    for _ in range(_TRIES * count):
        if len(drawn) == count:
            break
        xy_A = generator.uniform(field.low_A, field.high_A)
        made = make(xy_A)
        others = [*taken, *drawn]
        if all(
            np.linalg.norm((made.centre_A - other.centre_A)[:2])
            > radius_A(made) + max(other.reach_A[:2])
            for other in others
        ):
            drawn.append(made)
    return tuple(drawn)


def flat_turn(generator: np.random.Generator) -> NDArray[np.float64]:
    """(3, 3) a turn about z by any angle."""
    turn: NDArray[np.float64] = Rotation.from_euler(
        "z", generator.uniform(0, 2 * np.pi)
    ).as_matrix()
    return turn
