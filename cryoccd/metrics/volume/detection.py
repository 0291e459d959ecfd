"""F-beta of picks in tomograms, as the CZII challenge scores them (beta 4, half a radius).

Over all tomograms a class has tp hits, P picks and T particles, and

    F_beta = (1 + beta^2) tp / (P + beta^2 T) ,

the harmonic mean of precision and recall in which recall counts beta^2 times; beta = 4 forgives
false picks and not misses. A pick is a hit where a particle of its class lies within half the
class's radius. Hits are one to one, as many as there can be: near pairs of particles cannot share a
pick, nor picks a particle.
"""

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree

from cryoccd.errors import CryoccdError

CZII_RADII_A = {
    "apo-ferritin": 60.0,
    "beta-amylase": 65.0,
    "beta-galactosidase": 90.0,
    "ribosome": 150.0,
    "thyroglobulin": 130.0,
    "virus-like-particle": 135.0,
}
"""Radii of the particles of the challenge."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """Of one class: hits, picks and particles; counts of several tomograms add.

    Args:
        hits: picks that found a particle.
        picks: all of them.
        particles: that there are to find.
    """

    hits: int
    picks: int
    particles: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.hits + other.hits, self.picks + other.picks, self.particles + other.particles
        )

    def f_beta(self, beta: float = 4.0) -> float:
        """F-beta; NaN without picks and particles."""
        below = self.picks + beta**2 * self.particles
        return (1 + beta**2) * self.hits / below if below else nan


def count_hits(picks_A: Points, particles_A: Points, radius_A: float) -> Counts:
    """Hits of the picks of one class in one tomogram.

    Args:
        picks_A: (n, 3) in angstrom, any origin that the particles share.
        particles_A: (m, 3).
        radius_A: of the particle; a pick is a hit within half of it, the end included.

    Raises:
        CryoccdError: points that are not (n, 3) and finite, or a radius that is not above 0.
    """
    for name, points in (("picks", picks_A), ("particles", particles_A)):
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise CryoccdError(f"{name}: shape {points.shape}, expected (n, 3) finite angstrom")
    if not (isfinite(radius_A) and radius_A > 0):
        raise CryoccdError(f"radius_A = {radius_A}, expected above 0 (A)")
    counts = Counts(0, len(picks_A), len(particles_A))
    if not (counts.picks and counts.particles):
        return counts
    near = cKDTree(picks_A).query_ball_tree(cKDTree(particles_A), radius_A / 2)
    rows = np.repeat(np.arange(len(near)), [len(own) for own in near])
    columns = np.array([column for own in near for column in own], np.int64)
    shape = (counts.picks, counts.particles)
    graph = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=shape)
    found = maximum_bipartite_matching(graph, perm_type="column")
    return Counts(int((found >= 0).sum()), counts.picks, counts.particles)
