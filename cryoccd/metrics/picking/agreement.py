"""The ceiling that annotators set: how well one person's picks find another's.

No picker can be shown to be better than the labels it is judged by. The picks of a first annotator
are scored as a picker's against those of a second, all with one score, so that the curve is a
single point and its average precision is precision x recall. That is no bound on an AP whose picks
are ranked, as doubtful ones rank last: compare precision and recall with the curve at one point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.average_precision import average_precision, n_counted
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.scored import Scored, score_picks


@dataclass(frozen=True, eq=False)
class Agreement:
    """One annotator against another, pooled over micrographs; NaN where undefined.

    Args:
        parts: of each micrograph, for `interval`.
    """

    parts: tuple[Scored, ...]

    @property
    def precision(self) -> float:
        """Share of the first's picks that the second has too."""
        return _ratio(self._hits, sum(len(part.hits) for part in self.parts))

    @property
    def recall(self) -> float:
        """Share of the second's picks that the first has too."""
        return _ratio(self._hits, n_counted(self.parts))

    @property
    def f1(self) -> float:
        """Shared picks over the mean number of both: the harmonic mean of the two shares."""
        picks = sum(len(part.hits) for part in self.parts)
        return _ratio(2 * self._hits, picks + n_counted(self.parts))

    @property
    def average_precision(self) -> float:
        """Precision x recall: the AP of picks without scores."""
        return average_precision(self.parts)

    @property
    def _hits(self) -> int:
        return sum(int(np.count_nonzero(part.hits)) for part in self.parts)


def agreement(
    first_px: Sequence[NDArray[np.float64]],
    second_px: Sequence[NDArray[np.float64]],
    radius_px: float,
    counted: Sequence[NDArray[np.bool_] | None] | None = None,
) -> Agreement:
    """Score one annotator against another on the same micrographs.

    Args:
        first_px: of each micrograph (n, 2) x, y from the centre of pixel [0, 0], as the picker.
        second_px: the same of the other annotator, as the truth.
        radius_px: see `match`.
        counted: of each micrograph the area that counts, see `score_picks`.

    Raises:
        CryoccdError: there are not as many micrographs of each.
    """
    areas = [None] * len(first_px) if counted is None else counted
    if not len(first_px) == len(second_px) == len(areas):
        raise CryoccdError(
            f"agreement: picks of {len(first_px)} and {len(second_px)} micrographs and areas of "
            f"{len(areas)}, expected as many of each; give the same micrographs in the same order"
        )
    return Agreement(
        tuple(
            score_picks(Picks(first, np.zeros(len(first))), second, radius_px, area)
            for first, second, area in zip(first_px, second_px, areas, strict=True)
        )
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else nan
