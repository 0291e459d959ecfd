"""Seeded protein-like assemblies of true point symmetry: specimens that need no download.

The asymmetric unit is a handful of globular domains, each a bundle of alpha helices (helices.py). A
residue belongs to the domain in whose power cell it lies and must lie in the Dirichlet cell of its
asymmetric unit, so that copies do not overlap; of these the deepest are taken until the mass is
reached. The operators of the group then make the whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.geometry import item_seed
from cryoccd.records import Atoms
from cryoccd.specimen.helices import RESIDUE_DA, helix_bundle, residue_atoms
from cryoccd.specimen.symmetry import point_group

_Vectors = NDArray[np.float64]

B_FACTOR_A2 = 30.0
CONTACT_A = 3.5  # of helix axes from the border of their domain or asymmetric unit
JITTER_A = 2.0  # standard deviation by which a seed shifts the domains, per axis
SWING_DEG = 25.0  # turn of the mobile domain at flex 1


@dataclass(frozen=True)
class Assembly:
    """A recipe.

    Args:
        name: its name in ASSEMBLIES.
        symmetry: point group, as `point_group` spells it.
        mass_kDa: mass of the whole.
        domains_A: x, y, z and radius of each domain of one asymmetric unit; the last one moves with
            `flex`.
    """

    name: str
    symmetry: str
    mass_kDa: float
    domains_A: tuple[tuple[float, float, float, float], ...]


_BARREL = ((36, 4, 13, 15), (46, -5, 24, 14), (34, -4, 46, 14), (43, 6, 60, 15))
_CAGE = ((32, 16, 34, 14), (39, 6, 37, 13), (28, 27, 28, 11))
_SHELL = ((28, 38, 96, 24), (8, 40, 104, 20), (38, 24, 112, 17))
_DIMER = ((22, 16, 16, 24), (48, 20, 10, 24), (28, 40, 22, 20), (44, 22, 40, 16), (70, 14, 22, 19))
_LOBED = (
    (-30, 4, -6, 25),
    (-22, -18, 14, 21),
    (2, 8, 2, 16),
    (18, -20, -24, 14),
    (34, 14, 14, 17),
    (26, 2, -12, 20),
)

ASSEMBLIES = {
    "barrel_d7": Assembly("barrel_d7", "D7", 700, _BARREL),  # hollow, as the 20S proteasome
    "cage_o": Assembly("cage_o", "O", 450, _CAGE),  # a shell, as apoferritin
    "shell_i": Assembly("shell_i", "I", 4000, _SHELL),  # hollow, as a small virus
    "dimer_d2": Assembly("dimer_d2", "D2", 465, _DIMER),  # as beta-galactosidase
    "lobed_c1": Assembly("lobed_c1", "C1", 200, _LOBED),
}


def assembly_atoms(name: str, seed: int = 0, flex: float = 0.0) -> Atoms:
    """Atoms of one assembly, hydrogens included.

    Args:
        name: one of ASSEMBLIES.
        seed: shifts the domains (by about 2 A) and turns their helices.
        flex: 0 to 1: the last domain of every asymmetric unit swings about its neighbour by up to
            25 degrees; symmetry, number and order of the atoms stay.

    Raises:
        CryoccdError: an unknown name, or flex outside 0 to 1.
    """
    if name not in ASSEMBLIES:
        raise CryoccdError(f"assembly '{name}', expected one of {', '.join(ASSEMBLIES)}")
    if not 0 <= flex <= 1:
        raise CryoccdError(f"assembly '{name}': flex = {flex}, expected 0 to 1")
    assembly = ASSEMBLIES[name]
    rng = np.random.default_rng(item_seed(seed, "assembly", name))
    operators = point_group(assembly.symmetry)
    domains = np.array(assembly.domains_A, dtype=np.float64)
    centres, radii = domains[:, :3] + rng.normal(0, JITTER_A, (len(domains), 3)), domains[:, 3]
    points, frames, owner = _candidates(centres, radii, rng)
    depth = np.linalg.norm(points - centres[owner], axis=1) / radii[owner]
    allowed = (_power_distance_A(points, owner, centres, radii) > CONTACT_A) & (
        _dirichlet_distance_A(points, np.average(centres, axis=0, weights=radii**3), operators)
        > CONTACT_A
    )
    n_residues = round(assembly.mass_kDa * 1e3 / RESIDUE_DA / len(operators))
    order = np.flatnonzero(allowed)[np.argsort(depth[allowed], kind="stable")][:n_residues]
    positions, elements, residue = residue_atoms(points[order], frames[order], rng)
    mobile = owner[order][residue] == len(domains) - 1
    positions[mobile] = _swung(positions[mobile], centres, flex)
    copies = np.einsum("gij,nj->gni", operators, positions).reshape(-1, 3)
    return Atoms(
        positions_A=copies,
        elements=tuple(elements.tolist()) * len(operators),
        b_factors_A2=np.full(len(copies), B_FACTOR_A2),
    )


def _candidates(
    centres: _Vectors, radii: _Vectors, rng: np.random.Generator
) -> tuple[_Vectors, _Vectors, NDArray[np.int64]]:
    """Axis points, residue frames and domain of every residue that might be taken."""
    turns = Rotation.random(len(centres), rng=rng).as_matrix()
    points, frames, owner = [], [], []
    for index, (centre, radius, turn) in enumerate(zip(centres, radii, turns, strict=True)):
        local, residues = helix_bundle(2 * float(radius), rng)
        points.append(local @ turn.T + centre)
        frames.append(turn @ residues)
        owner.append(np.full(len(local), index))
    return np.concatenate(points), np.concatenate(frames), np.concatenate(owner)


def _power_distance_A(
    points: _Vectors, owner: NDArray[np.int64], centres: _Vectors, radii: _Vectors
) -> _Vectors:
    """Distance of each point to the nearest face of its owner's power cell, negative outside."""
    power = ((points[:, None] - centres) ** 2).sum(-1) - radii**2
    apart = np.linalg.norm(centres[owner][:, None] - centres, axis=-1)
    own = power[np.arange(len(points)), owner]
    faces = np.where(apart > 0, (power - own[:, None]) / (2 * np.maximum(apart, 1e-9)), np.inf)
    nearest: _Vectors = faces.min(axis=1)
    return nearest


def _dirichlet_distance_A(points: _Vectors, anchor: _Vectors, operators: _Vectors) -> _Vectors:
    """Distance of each point to the nearest face between the anchor and its symmetry copies."""
    normals = anchor - operators[1:] @ anchor
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    nearest: _Vectors = (points @ normals.T).min(axis=1, initial=np.inf)
    return nearest


def _swung(positions: _Vectors, centres: _Vectors, flex: float) -> _Vectors:
    """The last domain turned about the middle between it and its nearest neighbour."""
    mobile, others = centres[-1], centres[:-1]
    arm = mobile - others[np.linalg.norm(others - mobile, axis=1).argmin()]
    hinge = mobile - arm / 2
    axis = np.cross(arm, centres.mean(axis=0) - mobile + np.array([0.0, 0.0, 1e-3]))
    turn = Rotation.from_rotvec(np.deg2rad(SWING_DEG) * flex * axis / np.linalg.norm(axis))
    swung: _Vectors = turn.apply(positions - hinge) + hinge
    return swung
