"""Flexing of a structure along its softest normal modes: the anisotropic network model.

Nodes (C-alpha, P) within 15 A of each other are joined by equal springs at rest (Atilgan et al.
2001). The Hessian of a pair at distance d = r_j - r_i is -d d^T / |d|^2, its eigenvectors of least
eigenvalue but for the six rigid motions are the modes. At equal temperature a mode's amplitude
goes as 1 / sqrt(eigenvalue). Large structures are coarse-grained (Doruker, Jernigan & Bahar 2002):
every k-th node is kept and the cutoff grows by k^(1/3), so that a node keeps its neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import eigsh
from scipy.spatial import cKDTree

from cryoccd.errors import CryoccdError, check_within

CUTOFF_A = 15.0
MOST_NODES = 2000
RIGID = 6
NEIGHBOURS = 8  # nodes whose motion an atom follows

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class NormalModes:
    """Conformations of one structure by flexing.

    Args:
        count: so many conformations.
        rmsd_A: root mean square displacement of the atoms, over all conformations, in angstrom.
        modes: so many of the softest modes take part.
        seed: of the random amplitudes.
    """

    count: int = 8
    rmsd_A: float = 2.0
    modes: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_within("normal_modes: count", self.count, 1, 1000, "conformations")
        check_within("normal_modes: rmsd_A", self.rmsd_A, 0.01, 20, "angstrom")
        check_within("normal_modes: modes", self.modes, 1, 100, "modes")


def normal_modes(nodes_A: _Array, modes: int, cutoff_A: float = CUTOFF_A) -> tuple[_Array, _Array]:
    """The softest modes of a network of nodes.

    Args:
        nodes_A: (n, 3) positions.
        modes: so many, at most 3 n - 7.
        cutoff_A: reach of the springs.

    Returns:
        (modes,) eigenvalues in units of the spring constant, rising, and (modes, n, 3) orthonormal
        displacements.

    Raises:
        CryoccdError: too few nodes, or a network that falls apart or has loose ends, so that more
            than the six rigid motions cost nothing.
    """
    if 3 * len(nodes_A) < modes + RIGID + 1:
        raise CryoccdError(
            f"normal_modes: {len(nodes_A)} nodes (C-alpha or P), expected at least "
            f"{(modes + RIGID) // 3 + 1} for {modes} modes; ask for fewer modes"
        )
    hessian = network_hessian(nodes_A, cutoff_A)
    start = np.random.default_rng(0).standard_normal(hessian.shape[0])  # else the clock decides
    values, vectors = eigsh(hessian, modes + RIGID, sigma=-1e-3, which="LM", v0=start)
    order = np.argsort(values)
    values, vectors = values[order], vectors[:, order]
    if values[RIGID] < 1e-6:
        raise CryoccdError(
            f"normal_modes: more than {RIGID} motions cost nothing, parts of the structure are "
            f"further than {cutoff_A:.0f} A apart or hang by a thread; choose a compact assembly"
        )
    return values[RIGID:], vectors.T[RIGID:].reshape(modes, -1, 3)


def network_hessian(nodes_A: _Array, cutoff_A: float) -> csc_array:
    """(3 n, 3 n) sparse Hessian of the network, spring constant 1."""
    first, second = cKDTree(nodes_A).query_pairs(cutoff_A, output_type="ndarray").T
    step = nodes_A[second] - nodes_A[first]
    squared = np.maximum((step**2).sum(1), 1e-6)
    block = step[:, :, None] * step[:, None, :] / squared[:, None, None]
    rows = np.concatenate([first, second, first, second])
    columns = np.concatenate([second, first, first, second])
    blocks = np.concatenate([-block, -block, block, block])
    axis = np.arange(3)
    row = np.broadcast_to(3 * rows[:, None, None] + axis[:, None], blocks.shape)
    column = np.broadcast_to(3 * columns[:, None, None] + axis, blocks.shape)
    size = 3 * len(nodes_A)
    entries = (blocks.ravel(), (row.ravel(), column.ravel()))
    return csc_array(coo_array(entries, shape=(size, size)))  # sums equal entries


def flexed_positions_A(positions_A: _Array, nodes_A: _Array, config: NormalModes) -> _Array:
    """(count, n, 3) positions of n atoms in each conformation.

    Args:
        positions_A: (n, 3) atoms; each follows its nearest nodes.
        nodes_A: (m, 3) nodes, every k-th of which is used where m is above MOST_NODES.
        config: which modes and how far.

    Raises:
        CryoccdError: the nodes give no such modes.
    """
    stride = -(-len(nodes_A) // MOST_NODES)
    reach = stride ** (1 / 3)
    nodes = nodes_A[::stride]
    values, vectors = normal_modes(nodes, config.modes, CUTOFF_A * reach)
    generator = np.random.default_rng(config.seed)
    amplitudes = generator.standard_normal((config.count, config.modes)) / np.sqrt(values)
    motion = np.tensordot(amplitudes, vectors, axes=1)
    shift = _interpolated(positions_A, nodes, motion, 5.0 * reach)
    shift *= config.rmsd_A / np.sqrt((shift**2).sum(-1).mean())
    return np.asarray(positions_A + shift)


def _interpolated(positions_A: _Array, nodes_A: _Array, motion: _Array, width_A: float) -> _Array:
    """(count, n, 3) motion of atoms: Gaussian mean of that of their nearest nodes."""
    nearest = min(NEIGHBOURS, len(nodes_A))
    distance, index = cKDTree(nodes_A).query(positions_A, nearest)
    exponent = -0.5 * ((distance**2 - distance[:, :1] ** 2) / width_A**2)  # 1 at the nearest node
    weight = np.exp(exponent)
    weight /= weight.sum(axis=1, keepdims=True)
    shift = np.zeros((len(motion), len(positions_A), 3))
    for column in range(nearest):
        shift += weight[:, column, None] * motion[:, index[:, column]]
    return shift
