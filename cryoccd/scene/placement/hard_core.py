"""The hard core: of the places that laws propose, those that touch nothing are taken, in order.

Random sequential adsorption (Feder, J. Theor. Biol. 87, 237, 1980). Places of one group are taken
together or not at all, and do not exclude one another.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Points = NDArray[np.float64]


class HardCore:
    """What has been placed so far; no two of different groups come closer than their mean diameter.

    Args:
        in_projection: whether the distance in x and y alone counts.
    """

    def __init__(self, in_projection: bool) -> None:
        self._axes = 2 if in_projection else 3
        self._placed: dict[float, list[Points]] = {}

    def take(
        self, points_A: Points, group: NDArray[np.int64] | None, diameter_A: float, most: int
    ) -> NDArray[np.int64]:
        """Indices of the points that are taken; they are placed from now on.

        Args:
            points_A: (m, 3) places in the order in which they are tried.
            group: (m,) see Proposal; places of a group stand next to one another.
            diameter_A: hard-core diameter.
            most: number of places wanted; the last group may be cut short.
        """
        points = points_A[:, : self._axes]
        free = self._away(points, diameter_A)
        if group is None:
            kept = _thin(points, free, diameter_A, most)
        else:
            kept = _thin_groups(points, group, free, diameter_A, most)
        if len(kept):
            self._placed.setdefault(diameter_A, []).append(points[kept])
        return kept

    def _away(self, points: Points, diameter_A: float) -> NDArray[np.bool_]:
        free = np.ones(len(points), dtype=bool)
        for other_A, placed in self._placed.items():
            reach = (diameter_A + other_A) / 2 * (1 - 1e-9)
            distance, _ = cKDTree(np.concatenate(placed)).query(
                points[free], distance_upper_bound=reach
            )
            free[np.flatnonzero(free)[distance < reach]] = False
        return free


def _thin(points: Points, free: NDArray[np.bool_], distance: float, most: int) -> NDArray[np.int64]:
    """The first `most` free points, in order, that keep the distance from all kept before them."""
    candidates = np.flatnonzero(free)
    kept: list[int] = []
    if len(candidates) == 0 or most <= 0:
        return np.array(kept, dtype=np.int64)
    tree = cKDTree(points[candidates])
    blocked = np.zeros(len(candidates), dtype=bool)
    for index in range(len(candidates)):
        if blocked[index]:
            continue
        kept.append(int(candidates[index]))
        if len(kept) == most:
            break
        blocked[tree.query_ball_point(points[candidates[index]], distance * (1 - 1e-9))] = True
    return np.array(kept, dtype=np.int64)


def _thin_groups(
    points: Points,
    group: NDArray[np.int64],
    free: NDArray[np.bool_],
    distance: float,
    most: int,
) -> NDArray[np.int64]:
    """The first groups, in order, of free points that keep the distance from all kept groups."""
    kept: list[NDArray[np.int64]] = []
    count = 0
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])[: len(group)]
    for start, stop in zip(starts, [*starts[1:], len(group)], strict=True):
        members = np.arange(start, stop)[: most - count]
        if count >= most:
            break
        if not free[members].all():
            continue
        if kept:
            others = cKDTree(points[np.concatenate(kept)])
            near, _ = others.query(points[members], distance_upper_bound=distance * (1 - 1e-9))
            if np.isfinite(near).any():
                continue
        kept.append(members)
        count += len(members)
    return np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)
