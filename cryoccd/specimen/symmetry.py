"""Point groups as rotation matrices, in the settings of RELION.

Axes: Cn and Dn have the n-fold along z, Dn a 2-fold along x; T has a 3-fold along z and a 2-fold
along (0, 0.816, 0.577); O has 4-folds along x, y, z. The four settings of I (Heymann, Chagoyen &
Belnap 2005): I1 and I2 have 2-folds along x, y, z and the 5-fold nearest to z in the yz plane (I1)
or in the xz plane (I2); I3 and I4 have a 5-fold along z and another one in the xz plane below, at
negative (I3) or at positive x (I4). Plain I is I2, as in RELION.
"""

import re

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError

_ORDERS = {"T": 12, "O": 24, "I": 60}
_GOLDEN = (1 + 5**0.5) / 2
_NAME = re.compile(r"([CD])([1-9]\d{0,3})|([TO])|I([1-4]?)")
_FROM_I1 = {
    "1": Rotation.identity(),
    "2": Rotation.from_euler("z", 90, degrees=True),
}
_FROM_I1["3"] = Rotation.from_rotvec([0, -np.arctan2(1, _GOLDEN), 0]) * _FROM_I1["2"]
_FROM_I1["4"] = Rotation.from_euler("z", 180, degrees=True) * _FROM_I1["3"]


def point_group(name: str) -> NDArray[np.float64]:
    """All operators (n, 3, 3) of C1, C2 ..., D1, D2 ..., T, O, I1 to I4; the identity comes first.

    Raises:
        CryoccdError: an unknown name.
    """
    match = _NAME.fullmatch(name.upper())
    if match is None:
        raise CryoccdError(
            f"symmetry '{name}', expected Cn, Dn, T, O, I1, I2, I3 or I4, for example D7"
        )
    if match[3] is not None:
        return _closure(_tetrahedral() if match[3] == "T" else _octahedral(), _ORDERS[match[3]])
    if match[4] is not None:
        turn = _FROM_I1[match[4] or "2"].as_matrix()
        generators = [turn @ generator @ turn.T for generator in _icosahedral()]
        return _closure(generators, _ORDERS["I"])
    fold = int(match[2])
    angles = np.outer(np.arange(fold), [0, 0, 2 * np.pi / fold])
    turns: NDArray[np.float64] = Rotation.from_rotvec(angles).as_matrix()
    if match[1] == "C":
        return turns
    return np.concatenate([turns, turns @ np.diag([1.0, -1.0, -1.0])])


_CYCLE = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # 3-fold along (1, 1, 1)


def _tetrahedral() -> list[NDArray[np.float64]]:
    axis = np.array([0.0, np.sqrt(2 / 3), np.sqrt(1 / 3)])
    thirds = [Rotation.from_euler("z", 120, degrees=True), Rotation.from_rotvec(np.pi * axis)]
    return [turn.as_matrix() for turn in thirds]


def _octahedral() -> list[NDArray[np.float64]]:
    return [np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), _CYCLE]


def _icosahedral() -> list[NDArray[np.float64]]:
    """I1."""
    axis = np.array([0, 1, _GOLDEN]) / np.hypot(1, _GOLDEN)
    return [_CYCLE, Rotation.from_rotvec(axis * 2 * np.pi / 5).as_matrix()]


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
