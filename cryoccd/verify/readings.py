"""Ways in which labels are commonly read or written wrong; what was written must beat them all."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Points = NDArray[np.float64]
Placing = Callable[[Points, tuple[int, int]], Points]
"""(n, 2) x, y of the labels and (h, w) of the field to (n, 2) where the particles should be."""


def as_stated(points: Points, shape_px: tuple[int, int]) -> Points:
    """The labels as they are."""
    return points


def _swapped(points: Points, shape_px: tuple[int, int]) -> Points:
    return points[:, ::-1]


def _y_flipped(points: Points, shape_px: tuple[int, int]) -> Points:
    return np.column_stack([points[:, 0], shape_px[0] - 1 - points[:, 1]])


def _x_flipped(points: Points, shape_px: tuple[int, int]) -> Points:
    return np.column_stack([shape_px[1] - 1 - points[:, 0], points[:, 1]])


PLACINGS: dict[str, Placing] = {
    "as stated": as_stated,
    "x and y are swapped": _swapped,
    "y is flipped": _y_flipped,
    "x is flipped": _x_flipped,
}


def _order(*columns: int) -> Callable[[Tensor], Tensor]:
    return lambda eulers: eulers[:, list(columns)]


TURNS: dict[str, Callable[[Tensor], Tensor]] = {
    "as stated": lambda eulers: eulers,
    "rot and tilt are swapped": _order(1, 0, 2),
    "tilt and psi are swapped": _order(0, 2, 1),
    "rot and psi are swapped": _order(2, 1, 0),
    # the inverse of ZYZ angles: in reverse order with the other sign
    "the rotation is transposed": lambda eulers: -eulers[:, [2, 1, 0]],
    "psi has the other sign": lambda eulers: eulers * torch.tensor([1.0, 1.0, -1.0]),
}
HANDS = {"as stated": False, "the map is mirrored": True}
SIGNS = {"as stated": 1, "the sign of the defocus is wrong": -1}


@dataclass(frozen=True)
class Reading:
    """One way to read all labels: a key of each of the tables above."""

    placing: str = "as stated"
    turn: str = "as stated"
    hand: str = "as stated"
    sign: str = "as stated"

    def families(self) -> dict[str, str]:
        """What it says of each family of labels."""
        return {
            "positions": self.placing,
            "angles": self.turn,
            "hand": self.hand,
            "defocus": self.sign,
        }
