"""Point groups as rotation matrices.

Axes: Cn and Dn have the n-fold along z, Dn a 2-fold along x; T has 2-folds along x, y, z and a
3-fold along (1, 1, 1); O has 4-folds along x, y, z; I is RELION's I1 (Heymann, Chagoyen & Belnap
2005): 2-folds along x, y, z, the 5-fold nearest to z in the yz plane, along (0, 1, golden ratio).
"""

import re

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError

_ORDERS = {"T": 12, "O": 24, "I": 60}
_GOLDEN = (1 + 5**0.5) / 2


def point_group(name: str) -> NDArray[np.float64]:
    """All operators (n, 3, 3) of C1, C2 ..., D2, D3 ..., T, O or I; the identity comes first.

    Raises:
        CryoccdError: an unknown name.
    """
    match = re.fullmatch(r"([CD])([1-9]\d{0,2})|([TOI])", name.upper())
    if match is None:
        raise CryoccdError(f"symmetry '{name}', expected Cn, Dn, T, O or I, for example D7")
    if match[3] is not None:
        z_axis, other = _polyhedral(match[3])
        return _closure([z_axis, other], _ORDERS[match[3]])
    fold = int(match[2])
    angles = np.outer(np.arange(fold), [0, 0, 2 * np.pi / fold])
    turns: NDArray[np.float64] = Rotation.from_rotvec(angles).as_matrix()
    if match[1] == "C":
        return turns
    return np.concatenate([turns, turns @ np.diag([1.0, -1.0, -1.0])])


def _polyhedral(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two generators: one about z, one about a 3-fold or a 5-fold axis."""
    half_turn = np.diag([-1.0, -1.0, 1.0])
    cycle = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # 3-fold along (1, 1, 1)
    if name == "T":
        return half_turn, cycle
    if name == "O":
        return np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), cycle
    axis = np.array([0, 1, _GOLDEN]) / np.hypot(1, _GOLDEN)
    return cycle, Rotation.from_rotvec(axis * 2 * np.pi / 5).as_matrix()


def _closure(generators: list[NDArray[np.float64]], order: int) -> NDArray[np.float64]:
    """Products of the generators until the group is full."""
    found = [np.eye(3)]
    for operator in found:  # grows while it is walked
        for generator in generators:
            product = generator @ operator
            if not any(np.allclose(product, known, atol=1e-8) for known in found):
                found.append(product)
        if len(found) == order:
            break
    return np.stack(found)
