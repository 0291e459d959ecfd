"""A structure turned until its symmetry axes stand where the point group has them.

Equal chains are superposed (Kabsch 1976): the rotations between them hold every operator of the
structure. Two of them whose angles and mutual angle are those of two generators of the group fix
the turn; of all turns that fit the smallest is taken, and refined on the axes of all operators.
What counts in the end is the distance of the turned structure from its own rotated copies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.specimen.equivalent import Copies, equal_chains
from cryoccd.specimen.model import Model
from cryoccd.specimen.superposition import frames, smallest_turn, superposed, unit
from cryoccd.specimen.symmetry import point_group

RMSD_LIMIT_A = 2.0
"""Crystal copies of one chain differ by less; a symmetry that is not there leaves more."""

_ANGLE = np.deg2rad(4.0)  # tolerance of the angles of and between axes
_Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Alignment:
    """How a structure is brought to a point group's setting, x' = turn (x - centre).

    Args:
        turn: (3, 3) rotation.
        centre_A: (3,) point on every axis.
        rmsd_A: of the nodes from their symmetry copies, over all operators.
    """

    turn: _Matrix
    centre_A: NDArray[np.float64]
    rmsd_A: float

    def apply(self, model: Model) -> Model:
        """The model in the setting, its symmetry centre at the origin."""
        return model.moved((model.atoms.positions_A - self.centre_A) @ self.turn.T)


def align(model: Model, symmetry: str) -> Alignment:
    """The alignment to the operators of `point_group(symmetry)`.

    A group of one operator (C1) fits everything where it is. Of several settings that are equal
    under the group, and for the free turn about the axis of Cn, the one nearest to the file's
    frame is taken.

    Raises:
        CryoccdError: an unknown group, or one that the structure does not have within
            RMSD_LIMIT_A.
    """
    operators = point_group(symmetry)
    sets = equal_chains(model)
    nodes = [copies.reshape(-1, 3) for copies in sets] or [model.atoms.positions_A]
    centre = np.concatenate(nodes).mean(axis=0)
    if len(operators) == 1:
        return Alignment(np.eye(3), centre, 0.0)
    sets = [copies - centre for copies in sets]
    if not sets:
        raise CryoccdError(
            f"symmetry '{symmetry}': the structure has no chain of 3 residues (C-alpha or P) to "
            "measure it by; leave symmetry out"
        )
    turn = _nearest_turn(sets, operators)
    rmsd_A = _rmsd_A(sets, operators, turn)
    if rmsd_A < 3 * RMSD_LIMIT_A:
        turn = _refined(sets, operators, turn)
        rmsd_A = _rmsd_A(sets, operators, turn)
    if rmsd_A > RMSD_LIMIT_A:
        raise CryoccdError(
            f"symmetry '{symmetry}': the structure does not have it, its best fit leaves "
            f"{rmsd_A:.1f} A rmsd between {len(operators)} copies, expected under "
            f"{RMSD_LIMIT_A:g}; name another symmetry or another assembly"
        )
    return Alignment(turn, centre, rmsd_A)


def _nearest_turn(sets: list[Copies], operators: _Matrix) -> _Matrix:
    """The smallest turn under which the generators fit, or else the one that fits best."""
    axes = Rotation.from_matrix(operators).as_rotvec()
    first, second = _generators(axes)
    chosen = operators[[first]] if second is None else operators[[first, second]]
    turns = np.concatenate([np.eye(3)[None], _turns(_found(sets), axes, first, second)])
    turns = turns[np.argsort(Rotation.from_matrix(turns).magnitude(), kind="stable")]
    rmsd_A = []
    for turn in turns:
        rmsd_A.append(_rmsd_A(sets, chosen, turn))
        if rmsd_A[-1] < RMSD_LIMIT_A:
            return np.asarray(turn)
    return np.asarray(turns[int(np.argmin(rmsd_A))])


def _generators(axes: _Matrix) -> tuple[int, int | None]:
    """Operators of the highest order, the second not about the axis of the first (none for Cn)."""
    angle = np.linalg.norm(axes, axis=1)
    order = [int(i) for i in np.argsort(angle.round(6), kind="stable") if angle[i] > 0]
    first = order[0]
    across = np.linalg.norm(np.cross(axes, axes[first]), axis=1) > 1e-3
    return first, next((i for i in order if across[i]), None)


def _found(sets: list[Copies]) -> _Matrix:
    """(n, 3) rotation vectors that take one chain to each of its copies.

    Every operator takes it to another one, so the set with fewest copies is enough.
    """
    several = [copies for copies in sets if len(copies) > 1]
    if not several:
        return np.zeros((0, 3))
    copies = min(several, key=lambda c: (len(c), -c.shape[1]))
    local = copies - copies.mean(axis=1, keepdims=True)
    vectors = Rotation.from_matrix(superposed(local[0], local[1:])).as_rotvec()
    half_turns = np.abs(np.linalg.norm(vectors, axis=1) - np.pi) < _ANGLE
    return np.concatenate([vectors, -vectors[half_turns]])  # a half turn has either sign


def _turns(found: _Matrix, axes: _Matrix, first: int, second: int | None) -> _Matrix:
    """(n, 3, 3) turns that bring found operators to the generators of the group."""
    one = unit(_like(found, axes[first]))
    target = unit(axes[[first]])
    if second is None:
        return np.stack([smallest_turn(axis, target[0]) for axis in one] or [np.eye(3)])
    two = unit(_like(found, axes[second]))
    wanted = unit(axes[[second]])
    apart = np.arccos((one @ two.T).clip(-1, 1)) - np.arccos((target @ wanted.T).clip(-1, 1))
    left, right = np.nonzero(np.abs(apart) < _ANGLE)
    return np.asarray(frames(target, wanted) @ frames(one[left], two[right]).transpose(0, 2, 1))


def _refined(sets: list[Copies], operators: _Matrix, turn: _Matrix) -> _Matrix:
    """The turn that brings the measured axis of every operator nearest to the group's."""
    expected = Rotation.from_matrix(operators[1:]).as_rotvec()
    before = np.concatenate([copies.reshape(-1, 3) for copies in sets])
    measured = []
    for operator, axis in zip(operators[1:], expected @ turn, strict=True):
        own = turn.T @ operator @ turn
        after = np.concatenate([_matched(copies, own).reshape(-1, 3) for copies in sets])
        vector = Rotation.from_matrix(superposed(before, after[None])[0]).as_rotvec()
        measured.append(vector if vector @ axis > 0 else -vector)  # a half turn has either sign
    source, target = unit(np.array(measured)), unit(expected)
    along = target @ target[0]
    if (np.abs(along) > 1 - 1e-6).all():
        return smallest_turn(np.sign(along) @ source, target[0])
    return np.asarray(superposed(source, target[None])[0])


def _rmsd_A(sets: list[Copies], operators: _Matrix, turn: _Matrix) -> float:
    """Root mean square distance of the rotated nodes from the nodes of the chains nearest."""
    squared, count = 0.0, 0
    for operator in operators:
        own = turn.T @ operator @ turn
        for copies in sets:
            squared += float(((copies @ own.T - _matched(copies, own)) ** 2).sum())
            count += copies.shape[0] * copies.shape[1]
    return float(np.sqrt(squared / count))


def _matched(copies: Copies, operator: _Matrix) -> Copies:
    """The chains, in the order in which the operator's images of all chains lie nearest to them."""
    centroids = copies.mean(axis=1)
    return np.asarray(copies[cKDTree(centroids).query(centroids @ operator.T)[1]])


def _like(found: _Matrix, wanted: NDArray[np.float64]) -> _Matrix:
    """Found rotation vectors of the wanted angle."""
    angle = np.linalg.norm(found, axis=1)
    return np.asarray(found[np.abs(angle - np.linalg.norm(wanted)) < _ANGLE])
