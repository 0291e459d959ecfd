"""The turns of a box that leave its missing wedge where it is.

A tilt series about y from -a to a covers |kz| <= |kx| tan a, which says nothing of signs: changing
the sign of any axes maps the covered part onto itself. Two axes at once are the half turns about x,
y and z, with the identity a group of four; one axis or all three are mirrors, which change the hand
of what is in the box. A quarter turn would move the wedge.
"""

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError

Flips = NDArray[np.bool_]
"""(3,) whether x, y, z change their sign."""

TURNS = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], bool)
"""Identity, half turns about x, y and z."""

MIRRORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], bool)
"""Mirrors in x, y and z, and the inversion."""


def draw_flips(rng: np.random.Generator, turns: bool, mirrors: bool) -> Flips:
    """One of the group, each as likely; one number is drawn whatever is allowed.

    Args:
        rng: source of the draw.
        turns: whether the half turns are in the group.
        mirrors: whether the mirrors are as well; without turns, they alone with the identity would
            be no group.

    Raises:
        CryoccdError: mirrors without turns.
    """
    if mirrors and not turns:
        raise CryoccdError("data: mirrors without augment, expected both or none")
    number = int(rng.integers(8))
    if not turns:
        return np.zeros(3, bool)
    group = np.concatenate([TURNS, MIRRORS]) if mirrors else TURNS
    return np.array(group[number % len(group)])


def turned_position(position: NDArray[np.float64], flips: Flips) -> NDArray[np.float64]:
    """(..., 3) shares x, y, z of the tomogram's extent after it is turned about its middle."""
    return np.where(flips, 1 - position, position)


def turned_rotations(rotations: NDArray[np.float64], flips: Flips) -> NDArray[np.float64]:
    """(..., 3, 3) matrices from the map to the turned box: D A with D = diag(+-1).

    Raises:
        CryoccdError: a mirror, after which no turn of the map is what is seen.
    """
    if np.count_nonzero(flips) % 2:
        raise CryoccdError("data: a mirror image has no pose of the same map; take turns alone")
    return np.where(flips, -1.0, 1.0)[:, None] * rotations


def cut_corner(centre_px: NDArray[np.int64], box_voxels: int, flips: Flips) -> NDArray[np.int64]:
    """First voxel x, y, z of the box to cut such that after the flips `centre_px` is at b // 2.

    The middle of an even box, voxel b // 2, has b // 2 voxels below it and one fewer above. Turned
    about that voxel the box is another one, which begins a voxel further along each flipped axis:
    cut there, a plain flip is exact, and no plane has to be invented or wrapped.
    """
    return centre_px - box_voxels // 2 + flips * (1 - box_voxels % 2)


def flipped(box: NDArray[np.float32], flips: Flips) -> NDArray[np.float32]:
    """(z, y, x) box with the flipped axes reversed."""
    axes = tuple(2 - int(axis) for axis in np.flatnonzero(flips))
    return np.ascontiguousarray(np.flip(box, axes))
