"""Precision, recall and average precision, pooled over micrographs.

Picks of all micrographs are ranked together, those of one score in one bucket b. With k_b picks and
h_b hits down to its end, and N counted targets, found or not,

    precision_b = h_b / k_b ,  recall_b = h_b / N ,
    AP = sum_b precision_b (recall_b - recall_(b-1)) ,

without interpolation: scikit-learn's `average_precision_score` times h / N for h hits in all, and
Topaz's AUPRC. Targets that no pick found must not be handed to scikit-learn as positives of the
score -inf: one certain hit of ten particles would have 1.0, not 0.1. Picks that were cut at a score
end the curve early, so methods are compared at one cut, far down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from cryoccd.metrics.picking.scored import Scored


@dataclass(frozen=True)
class OperatingPoint:
    """What a cut at one score gives.

    Args:
        threshold: picks of this score or above are taken.
        precision: share of them that are hits.
        recall: share of the targets that they hit.
        f1: harmonic mean of both.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """The curve, a point for each distinct score from the highest down.

    Args:
        recall: (b,) rising, NaN where there are no targets.
        precision: (b,).
        threshold: (b,) scores.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    threshold: NDArray[np.float64]

    @property
    def best(self) -> OperatingPoint | None:
        """The point of the highest F1, the surest of several; None without picks or targets."""
        if not len(self.recall) or np.isnan(self.recall[0]):
            return None
        total = self.precision + self.recall
        product = 2 * self.precision * self.recall
        f1 = np.divide(product, total, out=np.zeros_like(total), where=total > 0)
        at = int(f1.argmax())
        points = (self.threshold, self.precision, self.recall, f1)
        return OperatingPoint(*(float(values[at]) for values in points))


def precision_recall(parts: Sequence[Scored]) -> PrecisionRecall:
    """The curve of some micrographs, whatever their order and that of their picks."""
    scores = np.concatenate([np.empty(0), *(part.scores for part in parts)])
    found = np.concatenate([np.empty(0, dtype=np.bool_), *(part.hits for part in parts)])
    order = np.argsort(-scores, kind="stable")  # a merge, where parts are sorted
    ranked = scores[order]
    ends = np.ones(len(ranked), dtype=np.bool_)
    ends[:-1] = ranked[1:] != ranked[:-1]
    hits = np.cumsum(found[order])[ends]
    n_targets = n_counted(parts)
    recall = hits / n_targets if n_targets else np.full(len(hits), nan)
    return PrecisionRecall(recall, hits / (np.flatnonzero(ends) + 1), ranked[ends])


def average_precision(parts: Sequence[Scored]) -> float:
    """AP of some micrographs: 0 without hits, NaN without targets."""
    if not n_counted(parts):
        return nan
    curve = precision_recall(parts)
    return float(np.diff(curve.recall, prepend=0.0) @ curve.precision)


def n_counted(parts: Sequence[Scored]) -> int:
    """Targets of all micrographs that count."""
    return sum(part.n_targets for part in parts)
