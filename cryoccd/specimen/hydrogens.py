"""The hydrogens that a structure file leaves out.

Cryo-EM and X-ray models mostly hold no hydrogens, yet these carry a sixth of a protein's potential
and, since that of ice is subtracted, about 40 % of its contrast. They are placed by geometry alone,
from the bonded neighbours of each C, N, O and S (bond lengths and angles of Engh & Huber 1991,
rounded), so no residue dictionary is needed. Torsions of methyls and amines are arbitrary; a ring
nitrogen that carries none in nature gets one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cryoccd.records import Atoms

_Vectors = NDArray[np.float64]

_SKELETON = ("C", "N", "O", "S", "P", "Se")
_BOND_A = 1.95  # no longer bond among these but S-S; no shorter distance across an angle
_DISULFIDE_A = 2.3
_HYDROXYL_A = 1.35  # the C-O bond of a hydroxyl is longer, that of a carbonyl shorter
_PLANAR_COS = -0.44  # cosine of 116 degrees: two bonds at a wider angle are sp2
_LENGTH_A = {"C": 1.09, "N": 1.01, "O": 0.96, "S": 1.34}

# directions of the hydrogens: away from the bonded atoms, in their plane, normal to it
_TETRAHEDRAL = ((1 / 3, 0.943, 0.0), (1 / 3, -0.471, 0.816), (1 / 3, -0.471, -0.816))
_TRIGONAL = ((0.5, 0.866, 0.0), (0.5, -0.866, 0.0))
_PAIR = ((0.577, 0.0, 0.816), (0.577, 0.0, -0.816))
_OPPOSITE = ((1.0, 0.0, 0.0),)


def add_hydrogens(atoms: Atoms) -> Atoms:
    """The atoms as they are, then riding hydrogens with the B factors of their carriers.

    For a model without any: hydrogens already there are neither counted nor moved.
    """
    elements = np.array(atoms.elements)
    skeleton = np.flatnonzero(np.isin(elements, _SKELETON))
    positions, kind = atoms.positions_A[skeleton], elements[skeleton]
    bonds, bond_sum, first, length_A = _bonds(positions, kind == "S")
    cosine = (bond_sum**2).sum(1) / 2 - 1  # of the angle between two unit bonds
    carbon, nitrogen = kind == "C", kind == "N"
    planar = cosine < _PLANAR_COS
    pyramid = (bond_sum**2).sum(1) > 0.25
    hydroxyl = ((kind == "O") & (length_A > _HYDROXYL_A)) | (kind == "S")
    rules = (
        (carbon & (bonds == 1), _TETRAHEDRAL),
        (nitrogen & (bonds == 1), _TRIGONAL),
        (hydroxyl & (bonds == 1), _TETRAHEDRAL[:1]),
        (carbon & (bonds == 2) & ~planar, _PAIR),
        (carbon & (bonds == 2) & planar, _OPPOSITE),
        (nitrogen & (bonds == 2), _OPPOSITE),
        (carbon & (bonds == 3) & pyramid, _OPPOSITE),
    )
    away = -_unit(bond_sum)
    normal = _unit(np.where((bonds == 1)[:, None], _perpendicular(first), np.cross(first, away)))
    frame = np.stack([away, np.cross(normal, away), normal], axis=1)
    placed, carriers = [atoms.positions_A], [np.arange(len(atoms))]
    for chosen, directions in rules:
        reach = np.array([_LENGTH_A[name] for name in kind[chosen].tolist()])[:, None]
        for direction in directions:
            placed.append(positions[chosen] + reach * (np.array(direction) @ frame[chosen]))
            carriers.append(skeleton[chosen])
    carrier = np.concatenate(carriers)
    return Atoms(
        positions_A=np.concatenate(placed),
        elements=atoms.elements + ("H",) * (len(carrier) - len(atoms)),
        b_factors_A2=atoms.b_factors_A2[carrier],
    )


def _bonds(
    positions_A: _Vectors, sulphur: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], _Vectors, _Vectors, _Vectors]:
    """Of each atom: number of bonds, sum of the unit bonds, one of them, and its length."""
    pairs = cKDTree(positions_A).query_pairs(_DISULFIDE_A, output_type="ndarray")
    distance = np.linalg.norm(positions_A[pairs[:, 0]] - positions_A[pairs[:, 1]], axis=1)
    bonded = (distance < _BOND_A) | sulphur[pairs].all(axis=1)
    pairs = pairs[bonded & (distance > 0)]
    start, end = np.concatenate([pairs, pairs[:, ::-1]]).T
    step = positions_A[end] - positions_A[start]
    n = len(positions_A)
    unit_sum, first = np.zeros((n, 3)), np.zeros((n, 3))
    np.add.at(unit_sum, start, _unit(step))
    first[start] = step
    return np.bincount(start, minlength=n), unit_sum, _unit(first), np.linalg.norm(first, axis=1)


def _unit(vectors: _Vectors) -> _Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: _Vectors = vectors / np.maximum(length, 1e-9)
    return unit


def _perpendicular(vectors: _Vectors) -> _Vectors:
    """Any normal of each vector: its cross product with the axis it is least along."""
    return np.cross(vectors, np.eye(3)[np.abs(vectors).argmin(axis=1)])
