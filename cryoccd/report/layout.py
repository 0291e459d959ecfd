"""A table as text: headings, columns, cells with their marks, footnotes. Every format shows this.

A cell reads "value [low, high]". The best row of a column, anchors apart, is marked, and so is a
row that is significantly better than the floor.
"""

from dataclasses import dataclass, field

from cryoccd.report.captions import groups, heading, remarks, title
from cryoccd.report.figure import Figure, distance
from cryoccd.report.table import Table
from cryoccd.report.text import MISSING, UNDEFINED, UNDEFINED_CELL, duration, number_text

_RANGE = "range of the estimates with micrographs left out, not a confidence interval"


@dataclass(frozen=True)
class TextCell:
    """One cell.

    Args:
        text: what it reads.
        notes: numbers of its footnotes.
        best: nearest to the ideal in its column.
        better: significantly better than the floor.
        sort: what its column is sorted by, smaller first; None stands last.
        hint: what else is known of it.
    """

    text: str
    notes: tuple[int, ...] = ()
    best: bool = False
    better: bool = False
    sort: float | None = None
    hint: str = ""


@dataclass(frozen=True)
class Layout:
    """A table ready to be written.

    Args:
        title: one line with the extractor's name.
        heading: lines of protocol and origin.
        columns: (group, name) of every column; those of one group stand together.
        rows: name of the row and one cell per column.
        notes: footnotes in the order of their numbers, from 1.
        remarks: legend and what the comparison with the floor says.
    """

    title: str
    heading: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[TextCell, ...]], ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass
class _Footnotes:
    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def lay_out(table: Table) -> Layout:
    """The text of a table."""
    footnotes = _Footnotes()
    better = table.better_than_bound
    best = {(d, m): table.best(d, m) for d in table.datasets for m in table.metrics}
    columns = [(group, metric) for group in groups(table) for metric in table.metrics]
    columns.append(("", "wall time"))
    shown = [published for published in table.reference if published.rows]
    columns += [("published, not comparable", f"{p.metric}, {p.name}") for p in shown]
    rows = []
    for method in table.methods:
        cells = []
        for dataset in table.datasets:
            for metric in table.metrics:
                figure = table.figures.get((method, dataset, metric))
                text, notes = _text(figure, footnotes)
                is_best = method in best[dataset, metric]
                is_better = (method, dataset, metric) in better
                how = (_rank(metric, figure), _hint(figure))
                cells.append(TextCell(text, notes, is_best, is_better, *how))
        seconds = table.seconds(method)
        known = any(table.cells.get((method, dataset)) for dataset in table.datasets)
        cells.append(TextCell(duration(seconds), sort=seconds) if known else TextCell(MISSING))
        for published in shown:
            mean = published.mean(method)
            places = 1 if mean is None or mean >= 10 else 3
            text = UNDEFINED if mean is None else f"{mean:.{places}f}"
            sort = None if mean is None else distance(published.metric.lower(), mean)
            cells.append(TextCell(text, sort=sort))
        rows.append((method, tuple(cells)))
    return Layout(
        title(table),
        heading(table),
        tuple(columns),
        tuple(rows),
        tuple(footnotes.texts),
        remarks(table),
    )


def _rank(metric: str, figure: Figure | None) -> float | None:
    if figure is None or figure.value is None:
        return None
    return distance(metric, figure.value)


def _hint(figure: Figure | None) -> str:
    if figure is None:
        return ""
    interval = f", interval: {figure.interval}" if figure.low is not None else ""
    return f"n = {figure.n}{interval}" + (f"; {figure.note}" if figure.note else "")


def _text(figure: Figure | None, footnotes: _Footnotes) -> tuple[str, tuple[int, ...]]:
    if figure is None:
        return MISSING, ()
    notes = [footnotes.number(figure.note)] if figure.note else []
    if figure.value is None:
        return UNDEFINED_CELL, tuple(notes)
    if figure.low is None or figure.high is None:
        return number_text(figure.value, abs(figure.value)), tuple(notes)
    if figure.interval == "range":
        notes.append(footnotes.number(_RANGE))
    # a value near 0 is written to the precision of its interval
    scale = max(abs(figure.value), (figure.high - figure.low) / 2)
    value, low, high = (number_text(x, scale) for x in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]", tuple(notes)
