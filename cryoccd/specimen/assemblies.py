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
from cryoccd.randomness import item_seed
from cryoccd.records import Atoms
from cryoccd.specimen.helices import RESIDUE_DA, helix_bundle, residue_atoms
from cryoccd.specimen.symmetry import point_group

_Vectors = NDArray[np.float64]

B_FACTOR_A2 = 30.0
CONTACT_A = 2.0  # of helix axes from the border of their domain or asymmetric unit
JITTER_A = 2.0  # standard deviation by which a seed shifts the domains, per axis


@dataclass(frozen=True)
class Assembly:
    """A recipe.

    Args:
        name: its name in ASSEMBLIES.
        symmetry: point group, as `point_group` spells it.
        mass_kDa: mass of the whole.
        swing_deg: turn of the mobile domains at flex 1.
        n_mobile: so many domains, the last ones, move together with `flex`.
        domains_A: x, y, z and radius of each domain of one asymmetric unit.
    """

    name: str
    symmetry: str
    mass_kDa: float
    swing_deg: float
    n_mobile: int
    domains_A: tuple[tuple[float, float, float, float], ...]


_BARREL = (
    (33, 7, 11, 14),
    (45, -3, 17, 14),
    (38, -10, 33, 12),
    (32, 6, 42, 13),
    (43, 7, 58, 14),
)
_TUBE = (
    *_BARREL,
    (36, -6, 74, 14),
    (42, 9, 88, 13),
    (34, -3, 101, 14),
    (40, 8, 114, 12),
)
_CAGE = ((33, 10, 37, 11), (20, 25, 39, 11), (20, 5, 47, 11))
_SHELL = (
    (34, 32, 100, 16),
    (16, 46, 102, 17),
    (14, 24, 108, 16),
    (38, 52, 90, 15),
    (30, 40, 117, 14),
)
_DIMER = (
    (18, 12, 16, 17),
    (40, 12, 14, 17),
    (24, 32, 24, 17),
    (46, 26, 30, 16),
    (20, 34, 4, 15),
    (64, 12, 20, 16),
)
_LOBED = (
    (-34, 8, -10, 17),
    (-24, -16, 10, 17),
    (-22, 14, 16, 16),
    (-16, -10, -16, 15),
    (4, 4, 0, 14),
    (30, 12, 14, 15),
    (20, -22, -22, 12),
    (26, 0, -10, 17),
)
_GLOBIN = ((17, 10, 11, 18), (17, -10, -11, 18))

ASSEMBLIES = {
    assembly.name: assembly
    for assembly in (
        Assembly("barrel_d7", "D7", 700, 10, 1, _BARREL),  # hollow, as the 20S proteasome
        Assembly("tube_d7", "D7", 1250, 8, 1, _TUBE),  # a long barrel, as one with caps
        Assembly("cage_o", "O", 450, 10, 1, _CAGE),  # a shell, as apoferritin
        Assembly("shell_i", "I1", 4000, 12, 1, _SHELL),  # hollow, as a small virus
        Assembly("dimer_d2", "D2", 465, 15, 1, _DIMER),  # as beta-galactosidase
        Assembly("lobed_c1", "C1", 200, 18, 3, _LOBED),  # two lobes, one larger
        Assembly("globin_c2", "C2", 58, 8, 1, _GLOBIN),  # small and round, as haemoglobin
    )
}


def assembly_atoms(name: str, seed: int = 0, flex: float = 0.0) -> Atoms:
    """Atoms of one assembly, hydrogens included.

    Args:
        name: one of ASSEMBLIES.
        seed: shifts the domains (by about 2 A) and turns their helices.
        flex: 0 to 1: the mobile domains of every asymmetric unit swing outwards about their
            neighbour by this share of the recipe's angle; symmetry, number and order of the atoms
            stay.

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
    hinged = len(domains) - assembly.n_mobile
    mobile = owner[order][residue] >= hinged
    turn_rad = np.deg2rad(flex * assembly.swing_deg)
    positions[mobile] = _swung(positions[mobile], centres[:hinged], centres[hinged:], turn_rad)
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


def _swung(positions: _Vectors, fixed: _Vectors, mobile: _Vectors, turn_rad: float) -> _Vectors:
    """Positions turned outwards about the middle between the mobile domains and the nearest one."""
    centre = mobile.mean(axis=0)
    arm = centre - fixed[np.linalg.norm(fixed - centre, axis=1).argmin()]
    hinge = centre - arm / 2
    axis = np.cross(arm, centre)
    turn = Rotation.from_rotvec(turn_rad * axis / np.linalg.norm(axis))
    swung: _Vectors = turn.apply(positions - hinge) + hinge
    return swung
