"""F-beta of picks in tomograms, as the CZII challenge scores them (beta 4, half a radius).

Over all tomograms a class has tp hits, P picks and T particles, and

    F_beta = (1 + beta^2) tp / (P + beta^2 T) ,

the harmonic mean of precision and recall in which recall counts beta^2 times; beta = 4 forgives
false picks and not misses. A pick is a hit where a particle of its class lies within half the
class's radius. Hits are one to one, as many as there can be: near pairs of particles cannot share a
pick, nor picks a particle. The score is the mean over classes by their weights.
"""

from collections.abc import Mapping, Sequence
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

CZII_WEIGHTS = {
    "apo-ferritin": 1.0,
    "beta-amylase": 0.0,
    "beta-galactosidase": 2.0,
    "ribosome": 1.0,
    "thyroglobulin": 2.0,
    "virus-like-particle": 1.0,
}
"""Their weights; one is not scored."""

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


def f_beta(
    picks_A: Sequence[Mapping[str, Points]],
    particles_A: Sequence[Mapping[str, Points]],
    radii_A: Mapping[str, float],
    weights: Mapping[str, float] | None = None,
    beta: float = 4.0,
) -> tuple[float, dict[str, float]]:
    """Score and F-beta of each class over tomograms.

    Args:
        picks_A: for each tomogram the picks of its classes; a class may be absent.
        particles_A: the same of the particles.
        radii_A: of each class that is scored.
        weights: of each class, 1 by default; classes of weight 0 are not scored.
        beta: how much recall counts.

    Raises:
        CryoccdError: another number of tomograms, picks of a class without radius, a class
            without weight, or no class to score.
    """
    if len(picks_A) != len(particles_A):
        raise CryoccdError(
            f"picks of {len(picks_A)} tomograms, particles of {len(particles_A)}, expected as many"
        )
    named = {name for tomogram in (*picks_A, *particles_A) for name in tomogram}
    if strange := sorted(named - set(radii_A)):
        raise CryoccdError(f"picks: no radius of {strange[0]}, known are {', '.join(radii_A)}")
    weights = dict.fromkeys(radii_A, 1.0) if weights is None else weights
    if missing := sorted(set(radii_A) - set(weights)):
        raise CryoccdError(f"picks: no weight of {missing[0]}, expected one a class")
    scored: dict[str, float] = {}
    none = np.zeros((0, 3))
    for name in (name for name in radii_A if weights[name] > 0):
        total = Counts(0, 0, 0)
        for picked, true in zip(picks_A, particles_A, strict=True):
            total += count_hits(picked.get(name, none), true.get(name, none), radii_A[name])
        value = total.f_beta(beta)
        if isfinite(value):
            scored[name] = value
    if not scored:
        raise CryoccdError("picks: neither picks nor particles of a class that is scored")
    weight = sum(weights[name] for name in scored)
    return sum(weights[name] * value for name, value in scored.items()) / weight, scored
