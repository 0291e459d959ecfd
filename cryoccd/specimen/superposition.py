"""Rotations that bring points and axes onto others."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

_Array = NDArray[np.float64]


def superposed(points: _Array, images: _Array) -> _Array:
    """(k, 3, 3) rotations R with R p nearest to the image of p, about the origin (Kabsch 1976).

    Args:
        points: (n, 3) vectors.
        images: (k, n, 3) vectors that each of them should come to.
    """
    left, _, right = np.linalg.svd(np.einsum("kni,nj->kij", images, points))
    left[..., 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return np.asarray(left @ right)


def smallest_turn(source: _Array, target: _Array) -> _Array:
    """(3, 3) rotation by the smallest angle that brings one direction to another."""
    return np.asarray(Rotation.align_vectors(target, source)[0].as_matrix())


def frames(one: _Array, two: _Array) -> _Array:
    """(n, 3, 3) right-handed frames in columns: `one`, the part of `two` across it, their normal.

    Args:
        one: (n, 3) unit vectors.
        two: (n, 3) vectors that are not parallel to them.
    """
    across = unit(two - (one * two).sum(1, keepdims=True) * one)
    return np.stack([one, across, np.cross(one, across)], axis=-1)


def unit(vectors: _Array) -> _Array:
    """(n, 3) vectors of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
