"""The heights at which a thick specimen is put through the CTF.

A particle at height z has the defocus of the micrograph minus z, so that its CTF contains
exp(i phi z) with phi = pi lambda k^2. Over the depth of the specimen that is smooth in z, and
polynomial interpolation between a few heights reproduces it: with n Chebyshev nodes over a depth of
2 h the error is at most (phi h)^n / (2^(n - 1) n!) (Trefethen, Approximation Theory and
Approximation Practice, 2013, chapter 8). Each particle is shared between the slabs at the nodes
with its Lagrange weights, where assignment to the nearest slab would need many times more.
"""

from math import factorial, pi

import numpy as np
from numpy.typing import NDArray

from cryoccd.records import Optics

_LARGEST_ERROR = 0.02  # of the CTF, at Nyquist


def shared_heights(
    z_A: NDArray[np.float64], optics: Optics
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heights of the slabs, and how particles are shared between them.

    Args:
        z_A: (n,) heights of particles, n > 0.
        optics: the settings; the error is that at the Nyquist frequency.

    Returns:
        (m,) heights in angstrom and (n, m) weights; each row sums to 1.
    """
    middle_A, half_A = (z_A.max() + z_A.min()) / 2, (z_A.max() - z_A.min()) / 2
    phase = pi * optics.wavelength_A * half_A / (2 * optics.pixel_size_A) ** 2
    n_nodes = 1
    while phase**n_nodes / (2 ** (n_nodes - 1) * factorial(n_nodes)) > _LARGEST_ERROR:
        n_nodes += 1
    nodes = np.cos(pi * (np.arange(n_nodes) + 0.5) / n_nodes)
    scaled = (z_A - middle_A) / max(half_A, 1e-9)
    weights = np.ones((len(z_A), n_nodes))
    for i in range(n_nodes):
        for j in range(n_nodes):
            if i != j:
                weights[:, i] *= (scaled - nodes[j]) / (nodes[i] - nodes[j])
    return middle_A + half_A * nodes, weights
