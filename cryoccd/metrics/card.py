"""The noise report card: every measure, described once a side, compared with intervals.

    card = ReportCard(measures)
    real = card.describe(fields_of_real_test, "real")           # once, for any number of reports
    made = card.describe(fields_of_a_method, "generated")
    card.compare(real, made)                                    # every figure with its interval

Both sides are cut to the same number of micrographs: a Frechet distance depends on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.metrics.measure import Field, Figure, Measure, Side
from cryoccd.metrics.statistics.intervals import block_jackknife
from cryoccd.metrics.statistics.permutation import Exchange, exchange_methods, exchange_sides

_SAME_PIXEL = 0.01


@dataclass(frozen=True)
class Metric:
    """One figure with its interval over micrographs.

    Args:
        value: None where it is undefined; the note says why.
        ci_low: lower end, None without an interval.
        ci_high: upper end.
        n: micrographs on the smaller side.
        interval: "jackknife95", "bootstrap95", "range" (of leave-one-out estimates) or "none".
        note: what a reader must know.
    """

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    interval: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Described:
    """One side: a statistic of each micrograph for each measure.

    Args:
        side: which.
        pixel_sizes_A: of each micrograph.
        statistics: a list for each measure, empty where it is not described.
        lacking: for each measure what it lacks on this side; empty where nothing.
    """

    side: Side
    pixel_sizes_A: tuple[float, ...]
    statistics: tuple[list[Any], ...]
    lacking: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixel_sizes_A)

    @classmethod
    def joined(cls, parts: Sequence["Described"]) -> "Described":
        """One side of parts that were described apart, in this order; at least one."""
        statistics = zip(*(part.statistics for part in parts), strict=True)
        lacking = zip(*(part.lacking for part in parts), strict=True)
        return cls(
            parts[0].side,
            tuple(size for part in parts for size in part.pixel_sizes_A),
            tuple([one for each in lists for one in each] for lists in statistics),
            tuple(next(filter(None, lacks), "") for lacks in lacking),
        )

    def take(self, indices: Iterable[int]) -> "Described":
        """Some of the micrographs."""
        chosen = list(indices)
        return Described(
            self.side,
            tuple(self.pixel_sizes_A[i] for i in chosen),
            tuple([each[i] for i in chosen] if each else [] for each in self.statistics),
            self.lacking,
        )


class ReportCard:
    """A set of measures with figures of different names.

    Args:
        measures: what is measured.

    Raises:
        CryoccdError: two figures of one name.
    """

    def __init__(self, measures: Sequence[Measure[Any]]) -> None:
        self.measures = tuple(measures)
        named = [figure for measure in measures for figure in measure.figures]
        self.figures: dict[str, Figure] = {figure.name: figure for figure in named}
        if len(self.figures) < len(named):
            raise CryoccdError("report card: two figures of one name; leave one measure out")

    def only(self, names: Iterable[str]) -> "ReportCard":
        """The card of those measures that these figures come from.

        Raises:
            CryoccdError: a name that no measure has.
        """
        wanted = set(names)
        if unknown := sorted(wanted - set(self.figures)):
            raise CryoccdError(
                f"metrics: {', '.join(unknown)} unknown, expected some of {', '.join(self.figures)}"
            )
        return ReportCard([measure for measure in self.measures if measure.has(wanted)])

    def describe(self, fields: Iterable[Field], side: Side) -> Described:
        """Describe the micrographs of a side, one after another.

        Raises:
            CryoccdError: there are none.
        """
        statistics: list[list[Any]] = [[] for _ in self.measures]
        lacking = [""] * len(self.measures)
        sizes = []
        for field in fields:
            sizes.append(field.pixel_size_A)
            for place, measure in enumerate(self.measures):
                if side not in measure.sides or lacking[place]:
                    continue
                lacking[place] = measure.lacks(field)
                if not lacking[place]:
                    statistics[place].append(measure.describe(field))
        if not sizes:
            raise CryoccdError("micrographs: none, expected at least one")
        return Described(side, tuple(sizes), tuple(statistics), tuple(lacking))

    def compare(self, real: Described, made: Described) -> dict[str, Metric]:
        """Every figure by its name; one that is undefined has value None and a note.

        Raises:
            CryoccdError: the sides differ in pixel size.
        """
        check_pixel_sizes({side.side: side.pixel_sizes_A[0] for side in (real, made)})
        report: dict[str, Metric] = {}
        for measure, one, two, reason in self._sides(real, made):
            report |= _compared(measure, one, two, min(len(real), len(made)), reason)
        return report

    def exchanged(
        self,
        real: Described,
        made: Described,
        permutations: int,
        seed: int,
        names: Sequence[str],
    ) -> dict[str, Exchange]:
        """Permutation tests of those of the figures that compare both sides (`permutation`)."""
        tests: dict[str, Exchange] = {}
        for measure, one, two, reason in self._sides(real, made):
            if not reason and measure.has(names):
                tests |= exchange_sides(measure, one, two, permutations, seed)
        return {name: tests[name] for name in names if name in tests}

    def contrasted(
        self,
        real: Described,
        one: Described,
        two: Described,
        permutations: int,
        seed: int,
        names: Sequence[str],
    ) -> dict[str, Exchange]:
        """Permutation tests of the difference of two methods in some figures."""
        n = min(len(real), len(one), len(two))
        tests: dict[str, Exchange] = {}
        for place, measure in enumerate(self.measures):
            sides = (real, one, two)
            if measure.has(names) and not any(side.lacking[place] for side in sides):
                base, first, second = (side.statistics[place][:n] for side in sides)
                tests |= exchange_methods(measure, base, first, second, permutations, seed)
        return {name: tests[name] for name in names if name in tests}

    def _sides(
        self, real: Described, made: Described
    ) -> Iterable[tuple[Measure[Any], list[Any], list[Any], str]]:
        n = min(len(real), len(made))
        for place, measure in enumerate(self.measures):
            lacks = {side.side: side.lacking[place] for side in (real, made)}
            if len(set(lacks.values())) > 1:
                lacks = {side: f"{what} ({side} side)" for side, what in lacks.items() if what}
            what = " and ".join(dict.fromkeys(filter(None, lacks.values())))
            reason = f"left out: needs {what}" if what else ""
            yield measure, real.statistics[place][:n], made.statistics[place][:n], reason


def check_pixel_sizes(sizes_A: Mapping[str, float]) -> None:
    """Refuse sets of different pixel size, by their names.

    Raises:
        CryoccdError: two are more than 1 % apart.
    """
    low, high = min(sizes_A, key=sizes_A.__getitem__), max(sizes_A, key=sizes_A.__getitem__)
    if sizes_A[high] / sizes_A[low] - 1 > _SAME_PIXEL:
        raise CryoccdError(
            f"pixel size: {sizes_A[low]:g} A in {low}, {sizes_A[high]:g} A in {high}; bring both "
            "to the same"
        )


def _compared(
    measure: Measure[Any], real: list[Any], made: list[Any], n: int, reason: str
) -> dict[str, Metric]:
    if not reason and n < measure.fewest:
        reason = f"undefined: {n} micrographs a side, needs {measure.fewest}"
    if reason:
        return {f.name: Metric(None, None, None, n, "none", reason) for f in measure.figures}
    estimate = measure.estimator(real, made)

    @cache  # the blocks of the jackknife are the same for all figures
    def figures(i: tuple[int, ...], j: tuple[int, ...]) -> dict[str, float]:
        return estimate(i, j)

    notes = measure.notes(real, made)
    report = {}
    for name in (figure.name for figure in measure.figures):
        value = figures(tuple(range(len(real))), tuple(range(len(made))))[name]
        note = notes.get(name, "")
        if not isfinite(value):
            note = "; ".join(part for part in ("undefined for these micrographs", note) if part)
            report[name] = Metric(None, None, None, n, "none", note)
            continue

        def estimate_one(i: Sequence[int], j: Sequence[int], name: str = name) -> float:
            return figures(tuple(i), tuple(j))[name]

        ends = block_jackknife(estimate_one, len(real), len(made))
        report[name] = Metric(value, ends.low, ends.high, n, ends.kind, note)
    return report
