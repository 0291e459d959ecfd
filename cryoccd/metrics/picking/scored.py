"""The statistic of one micrograph from which every figure of picking follows.

Margins, where a picker sees half its surroundings, and ruined areas (black borders, carbon,
contamination) hold particles that annotators left out and others that they did not. What happens
there is neither right nor wrong:

* picks are matched with all targets, so that a particle in an ignored area takes its own pick;
* a pick of a counted target is a hit, wherever the pick lies;
* a pick of an ignored target is dropped;
* a pick of no target is a miss in the counted area, and dropped elsewhere and outside the image;
* the targets that may be missed are the counted ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.matching import match
from cryoccd.metrics.picking.picks import Picks


@dataclass(frozen=True, eq=False)
class Scored:
    """Hits and misses of one micrograph.

    Args:
        scores: (k,) float64 of the picks that count.
        hits: (k,) bool, whether they found a particle.
        n_targets: particles that count, found or not.

    Raises:
        CryoccdError: lengths differ, a score is NaN, or there are more hits than targets.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    n_targets: int

    def __post_init__(self) -> None:
        if self.scores.shape != self.hits.shape or self.scores.ndim != 1:
            raise CryoccdError(
                f"scored picks: scores of shape {self.scores.shape} and hits of shape "
                f"{self.hits.shape}, expected (k,) of both"
            )
        if np.isnan(self.scores).any():
            raise CryoccdError("scored picks: a score is nan, expected numbers or -inf")
        if np.count_nonzero(self.hits) > self.n_targets:
            raise CryoccdError(
                f"scored picks: {np.count_nonzero(self.hits)} hits of {self.n_targets} targets, "
                "expected one hit a target at most"
            )


def score_picks(
    picks: Picks,
    targets_px: NDArray[np.float64],
    radius_px: float,
    counted: NDArray[np.bool_] | None,
) -> Scored:
    """Hits and misses of the picks of one micrograph, in descending order of score.

    Args:
        picks: of the whole micrograph.
        targets_px: (m, 2) all particles, x, y from the centre of pixel [0, 0].
        radius_px: see `match`; half a particle radius is strict, a whole one lenient.
        counted: (h, w), False in margins and ruined areas; None counts everything everywhere.
    """
    by_score = np.argsort(-picks.scores, kind="stable")
    positions_px, scores = picks.positions_px[by_score], picks.scores[by_score]
    target = match(positions_px, targets_px, radius_px)
    target_counts = _lies_in(counted, targets_px)
    hits = np.append(target_counts, False)[target]  # the last of them for target -1
    misses = (target < 0) & _lies_in(counted, positions_px)
    kept = hits | misses
    return Scored(scores[kept], hits[kept], int(target_counts.sum()))


def counted_area(
    shape_px: tuple[int, int], margin_px: float, ruined: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """(h, w) area that counts: further from every border than the margin, and not ruined.

    Args:
        shape_px: height and width.
        margin_px: width of the margin in pixels, 0 for none.
        ruined: (h, w), True in black borders, carbon and contamination; None where there are none.

    Raises:
        CryoccdError: a negative margin, or a mask of another shape.
    """
    if not margin_px >= 0:
        raise CryoccdError(f"margin_px = {margin_px}, expected 0 or more (px)")
    if ruined is not None and ruined.shape != shape_px:
        raise CryoccdError(
            f"ruined area: mask of shape {ruined.shape}, expected {shape_px} of the micrograph"
        )
    rows, columns = (_inside(side_px, margin_px) for side_px in shape_px)
    area: NDArray[np.bool_] = rows[:, None] & columns[None, :]
    return area if ruined is None else area & ~ruined


def _inside(side_px: int, margin_px: float) -> NDArray[np.bool_]:
    pixel = np.arange(side_px)
    return (pixel >= margin_px) & (pixel <= side_px - 1 - margin_px)


def _lies_in(
    counted: NDArray[np.bool_] | None, positions_px: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(n,) whether the pixel of each position counts; False outside the image."""
    if counted is None:
        return np.ones(len(positions_px), dtype=np.bool_)
    column, row = np.floor(positions_px.T + 0.5)
    height, width = counted.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    lies = np.zeros(len(positions_px), dtype=np.bool_)
    lies[inside] = counted[row[inside].astype(int), column[inside].astype(int)]
    return lies
