"""Hard-core placement: random sequential adsorption (Feder, J. Theor. Biol. 87, 237, 1980).

Positions are proposed uniformly and kept where they touch nothing that was kept before. Equal discs
jam at an area fraction of 0.547, and close to it uniform proposals almost never hit a hole: then a
fine jittered lattice proposes points in every hole that is left.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Points = NDArray[np.float64]

_BATCHES = 30
_LATTICE = 10  # points of the fallback lattice along one diameter


def place(
    diameters_A: NDArray[np.float64],
    low_A: tuple[float, float],
    high_A: tuple[float, float],
    generator: np.random.Generator,
) -> tuple[Points, NDArray[np.bool_]]:
    """Place n discs in a rectangle so that no two are closer than their mean diameter.

    Larger ones go first, since they find no hole later.

    Args:
        diameters_A: (n,) hard-core diameters.
        low_A: x, y of one corner of the rectangle in which centres lie.
        high_A: x, y of the opposite corner.
        generator: source of randomness.

    Returns:
        (n, 2) centres x, y, NaN for those that found no room; and (n,) whether they did.
    """
    centres = np.full((len(diameters_A), 2), np.nan)
    fitted = np.zeros(len(diameters_A), dtype=bool)
    for diameter in np.unique(diameters_A)[::-1]:
        waiting = np.flatnonzero(diameters_A == diameter)
        for proposed in _proposals(len(waiting), diameter, low_A, high_A, generator):
            free = _away_from(proposed, diameter, centres[fitted], diameters_A[fitted])
            kept = _thin(free, diameter, len(waiting))
            centres[waiting[: len(kept)]] = kept
            fitted[waiting[: len(kept)]] = True
            waiting = waiting[len(kept) :]
            if len(waiting) == 0:
                break
    return centres, fitted


def _proposals(
    n: int,
    diameter: float,
    low: tuple[float, float],
    high: tuple[float, float],
    generator: np.random.Generator,
) -> Iterator[Points]:
    for _ in range(_BATCHES):
        yield generator.uniform(low, high, (2 * n + 64, 2))
    step = diameter / _LATTICE
    rows = np.arange(low[1], high[1], step)
    columns = np.arange(low[0], high[0], step)
    lattice = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    jittered = np.minimum(lattice + generator.uniform(0, step, lattice.shape), high)
    yield generator.permutation(jittered)


def _away_from(points: Points, diameter: float, centres: Points, diameters: Points) -> Points:
    for other in np.unique(diameters):
        reach = (diameter + other) / 2
        distance, _ = cKDTree(centres[diameters == other]).query(points, distance_upper_bound=reach)
        points = points[distance >= reach]
    return points


def _thin(points: Points, distance: float, most: int) -> Points:
    """The first `most` points, in order, that keep the distance from all kept before them."""
    if len(points) == 0:
        return points
    tree = cKDTree(points)
    blocked = np.zeros(len(points), dtype=bool)
    kept: list[int] = []
    for index in range(len(points)):
        if blocked[index]:
            continue
        kept.append(index)
        if len(kept) == most:
            break
        blocked[tree.query_ball_point(points[index], distance)] = True
    return points[kept]
