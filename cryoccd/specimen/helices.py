"""Bundles of alpha helices that fill space with protein.

Backbone in cylindrical coordinates of the Pauling-Corey helix (radius, azimuth, height of N, CA, C
and O; 100 degrees and 1.5 A a residue, right-handed). Axes stand in hexagonal packing, 10.2 A
apart, so that one average residue (C4.9 H7.8 N1.35 O1.48 S0.04) fills its share of volume at
1.35 g/cm^3; side chains lie at random in the space around the axis.
"""

from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from cryoccd.specimen.scattering import DALTON_PER_A3, atomic_masses

PROTEIN_G_PER_CM3 = 1.35
RISE_A = 1.5
TURN_DEG = 100.0

_BACKBONE = (
    ("N", 1.55, -27.5, -0.9),
    ("C", 2.29, 0, 0),
    ("C", 1.66, 26.4, 1.1),
    ("O", 2, 20, 2.27),
)
_SIDE_CHAIN = {"C": 2.9, "N": 0.35, "O": 0.48, "S": 0.04, "H": 7.8}
_SLOTS = 12  # side-chain atoms and hydrogens of one residue; 11.57 of them are filled on average

_FORMULA = {"C": 4.9, "H": 7.8, "N": 1.35, "O": 1.48, "S": 0.04}
RESIDUE_DA = float(atomic_masses(tuple(_FORMULA)) @ np.array(list(_FORMULA.values())))
"""Mass of the average residue: 110.6 Da."""

_CROSS_SECTION_A2 = RESIDUE_DA / (PROTEIN_G_PER_CM3 * DALTON_PER_A3 * RISE_A)
_SPACING_A = sqrt(2 * _CROSS_SECTION_A2 / sqrt(3))
_SIDE_RADII_A = (2.6, sqrt(_CROSS_SECTION_A2 / pi))

_Vectors = NDArray[np.float64]


def helix_bundle(reach_A: float, rng: np.random.Generator) -> tuple[_Vectors, _Vectors]:
    """Residues of a bundle along z within reach_A of the origin.

    Returns:
        (n, 3) points on the helix axes and (n, 3, 3) frames of the residues: columns are the
        directions of CA, across, and along the chain. Neighbouring axes run up or down at random.
    """
    cells = np.arange(-int(reach_A / _SPACING_A) - 2, int(reach_A / _SPACING_A) + 3)
    column, row = (grid.ravel() for grid in np.meshgrid(cells, cells))
    x = (column + row / 2 + rng.random()) * _SPACING_A
    y = (row * sqrt(3) / 2 + rng.random()) * _SPACING_A
    steps = np.arange(-int(reach_A / RISE_A) - 1, int(reach_A / RISE_A) + 2)
    sign = rng.choice([-1.0, 1.0], len(x))
    phase = np.deg2rad(360 * rng.random(len(x))[:, None] + TURN_DEG * steps)
    height = (steps + rng.random(len(x))[:, None]) * RISE_A
    x, y, sign = (np.broadcast_to(value[:, None], phase.shape) for value in (x, y, sign))
    points = np.stack([x, y * np.ones(1), sign * height], axis=-1).reshape(-1, 3)
    cosine, sine, zero = np.cos(phase), np.sin(phase), np.zeros(phase.shape)
    # running down is a half turn about x: the hand stays
    outward = np.stack([cosine, sign * sine, zero], axis=-1)
    across = np.stack([-sine, sign * cosine, zero], axis=-1)
    along = np.stack([zero, zero, sign], axis=-1)
    frames = np.stack([outward, across, along], axis=-1).reshape(-1, 3, 3)
    inside = np.linalg.norm(points, axis=1) <= reach_A
    return points[inside], frames[inside]


def residue_atoms(
    points: _Vectors, frames: _Vectors, rng: np.random.Generator
) -> tuple[_Vectors, NDArray[np.str_], NDArray[np.int64]]:
    """Positions (m, 3), elements (m,) and residue indices (m,) of the atoms of n residues."""
    n = len(points)
    radius = np.array([atom[1] for atom in _BACKBONE])
    azimuth = np.deg2rad([atom[2] for atom in _BACKBONE])
    height = np.array([atom[3] for atom in _BACKBONE], dtype=np.float64)
    backbone = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), height], axis=-1)
    inner, outer = (value**2 for value in _SIDE_RADII_A)
    # one atom to each ring of equal area: even filling without a search for neighbours
    ring = (
        rng.permuted(np.tile(np.arange(_SLOTS), (n, 1)), axis=1) + rng.random((n, _SLOTS))
    ) / _SLOTS
    distance = np.sqrt(inner + (outer - inner) * ring)
    angle = np.deg2rad(rng.uniform(-TURN_DEG, TURN_DEG, (n, _SLOTS)))
    side_height = rng.uniform(-2.7, 2.7, (n, _SLOTS))
    side = np.stack([distance * np.cos(angle), distance * np.sin(angle), side_height], axis=-1)
    local = np.concatenate([np.broadcast_to(backbone, (n, *backbone.shape)), side], axis=1)
    positions = points[:, None] + np.einsum("nij,nkj->nki", frames, local)

    share = np.array(list(_SIDE_CHAIN.values())) / _SLOTS
    names = np.array([*_SIDE_CHAIN, ""])
    drawn = rng.choice(names, (n, _SLOTS), p=np.append(share, 1 - share.sum()))
    backbone_names = np.array([atom[0] for atom in _BACKBONE])
    elements = np.concatenate([np.broadcast_to(backbone_names, (n, len(_BACKBONE))), drawn], axis=1)
    filled = elements != ""
    residue = np.broadcast_to(np.arange(n)[:, None], elements.shape)
    return positions[filled], elements[filled], residue[filled]
