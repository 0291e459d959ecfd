"""The figures of picks in held-out tomograms, with intervals over these.

`f_beta` is the mean over classes of F-beta (`cryoccd.metrics.volume.detection`); precision and
recall are of the picks and particles of all classes together, a pick of another class being false.
`gain` is f_beta less that of another detector on the same tomograms: both are left out together,
so what makes a tomogram easy or hard for both does not widen the interval.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from math import isfinite, nan
from operator import add
from statistics import fmean

from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure
from cryoccd.metrics.volume.detection import Counts, Points, count_hits
from cryoccd.metrics.volume.groups import over_groups

DETECTION = (
    Figure(
        "f_beta", 1.0, "F of picks in held-out tomograms, recall counts 16 times, mean of classes"
    ),
    Figure("gain", 1.0, "f_beta less that of a detector trained on real tomograms alone"),
    Figure("precision", 1.0, "picks within half a radius of a particle of their class"),
    Figure("recall", 1.0, "particles with a pick of their class within half a radius"),
)
"""What is said of a detector."""

ClassCounts = Mapping[str, Counts]
"""Of each class in one tomogram."""


def counted(
    picks_A: Mapping[str, Points], particles_A: Mapping[str, Points], radii_A: Mapping[str, float]
) -> dict[str, Counts]:
    """Hits, picks and particles of each class in one tomogram."""
    return {
        name: count_hits(picks_A[name], particles_A[name], radius_A)
        for name, radius_A in radii_A.items()
    }


def detection_figures(
    found: Sequence[ClassCounts], other: Sequence[ClassCounts] | None = None, beta: float = 4.0
) -> dict[str, Metric]:
    """Every figure by its name.

    Args:
        found: of each held-out tomogram.
        other: of the detector that `gain` is over, in the same order; None for no gain.
        beta: how much recall counts.
    """
    classes = scores_by_class(found, beta).items()

    def score(of: Sequence[ClassCounts], chosen: Sequence[int]) -> float:
        values = scores_by_class([of[number] for number in chosen], beta).values()
        return fmean(values) if values else nan

    def share(chosen: Sequence[int], below: str) -> float:
        total = reduce(add, (each for number in chosen for each in found[number].values()))
        count: int = getattr(total, below)
        return total.hits / count if count else nan

    n, each_class = len(found), ", ".join(f"{name} {value:.2f}" for name, value in classes)
    figures = {"f_beta": over_groups(lambda _, j: score(found, j), 0, n, each_class)}
    if other is not None:
        figures["gain"] = over_groups(lambda _, j: score(found, j) - score(other, j), 0, n)
    figures["precision"] = over_groups(lambda _, j: share(j, "picks"), 0, n)
    figures["recall"] = over_groups(lambda _, j: share(j, "particles"), 0, n)
    return figures


def scores_by_class(found: Sequence[ClassCounts], beta: float) -> dict[str, float]:
    """F-beta of each class over tomograms; without picks and particles a class has none."""
    totals = {name: reduce(add, (each[name] for each in found)) for name in found[0]}
    scores = {name: total.f_beta(beta) for name, total in totals.items()}
    return {name: value for name, value in scores.items() if isfinite(value)}
