"""The page of all results: tables, pictures, curves, cost and origin, in one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryoccd.report.page import picture
from cryoccd.report.table import Table
from cryoccd.report.web.document import attributes, document, escaped
from cryoccd.report.web.html_table import html_table
from cryoccd.report.web.line_chart import Chart, Line, legend, line_chart
from cryoccd.report.web.origin import cost, origin
from cryoccd.report.web.viewer import Viewer, viewer_html


@dataclass(frozen=True)
class Curves:
    """Charts of the same lines with one legend.

    Args:
        charts: beside each other.
        lines: those of the legend.
        labels: what the legend says of each.
        caption: what must be known of them.
    """

    charts: tuple[Chart, ...]
    lines: tuple[Line, ...]
    labels: tuple[str, ...]
    caption: str


@dataclass(frozen=True)
class SetPart:
    """What is shown of one data set of a table.

    Args:
        dataset: its name.
        viewers: crops, or slices of the boxes of each class.
        curves: spectra, or precision against recall.
        pictures: PNG files by their captions.
        notes: what could not be shown, and why.
    """

    dataset: str
    viewers: tuple[Viewer, ...] = ()
    curves: tuple[Curves, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePart:
    """A table with all that belongs to it.

    Args:
        table: the figures.
        sets: pictures and curves.
        images: that the models of each row were trained with.
        written: (method, data set, seed) to the time of the cell's file, in seconds since 1970.
        notes: cells that are missing or left out.
    """

    table: Table
    sets: tuple[SetPart, ...]
    images: Mapping[str, float]
    written: Mapping[tuple[str, str, int], float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Training:
    """The curves of the fits of one profile.

    Args:
        profile: its name.
        curves: by method.
        notes: logs that could not be read.
    """

    profile: str
    curves: Mapping[str, Curves]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dashboard:
    """The whole page.

    Args:
        tables: in their order.
        training: one for each profile with fits.
        refused: tables that could not be shown, each with its reason.
        made: when and of what the page was made.
    """

    tables: tuple[TablePart, ...]
    training: tuple[Training, ...]
    refused: tuple[tuple[str, str], ...]
    made: str


def dashboard_html(dashboard: Dashboard) -> str:
    """The page."""
    parts = [_lead(dashboard), _contents(dashboard)]
    parts += [_table(part, f"t{number}") for number, part in enumerate(dashboard.tables)]
    parts += [_training(part, f"f{number}") for number, part in enumerate(dashboard.training)]
    if dashboard.refused:
        lines = "".join(
            f"<p><strong>{escaped(name)}</strong>: {escaped(reason)}</p>"
            for name, reason in dashboard.refused
        )
        parts.append(
            f'<section id="refused">\n<h2>Not shown</h2>\n<div class="refused">{lines}</div>\n'
            "</section>"
        )
    return document("cryoccd results", "\n".join(["<main>", *parts, "</main>"]))


def _lead(dashboard: Dashboard) -> str:
    sets = dict.fromkeys(d for part in dashboard.tables for d in part.table.datasets)
    boxes = "".join(
        f'<label><input type="checkbox" checked{attributes(value=name)}>{escaped(name)}</label>'
        for name in sets
    )
    filters = f'<fieldset id="filter" hidden><legend>data sets</legend>{boxes}</fieldset>'
    return (
        f'<p class="lead">{escaped(dashboard.made)}</p>\n'
        '<p class="lead">A column sorts by its heading: first the row nearest to the metric\'s '
        "ideal, then the furthest, then the table's own order.</p>\n"
        f"{filters if len(sets) > 1 else ''}"
    )


def _contents(dashboard: Dashboard) -> str:
    items = [
        (f"t{number}-s", _title(part.table), f"{len(part.table.methods)} rows, {_sets(part.table)}")
        for number, part in enumerate(dashboard.tables)
    ]
    items += [
        (f"f{number}-s", f"training, {part.profile}", f"{len(part.curves)} methods")
        for number, part in enumerate(dashboard.training)
    ]
    if dashboard.refused:
        items.append(("refused", "not shown", f"{len(dashboard.refused)} tables"))
    lines = "".join(
        f'<li><a href="#{ident}">{escaped(name)}</a> <span class="what">{what}</span></li>'
        for ident, name, what in items
    )
    return f"<nav><ul>{lines}</ul></nav>"


def _title(table: Table) -> str:
    return f"{table.name}, {table.profile}"


def _sets(table: Table) -> str:
    count = len(table.datasets)
    return f"{count} data set{'s' if count > 1 else ''}"


def _table(part: TablePart, ident: str) -> str:
    table = part.table
    sets = [_set(each, f"{ident}-{k}") for k, each in enumerate(part.sets)]
    return (
        f'<section id="{ident}-s">\n'
        f'<h2>{escaped(table.name)} <span class="of">{escaped(table.profile)}</span></h2>\n'
        f"{_notes(part.notes)}{html_table(table, ident)}\n"
        f"<details><summary>Cost of each method</summary>\n"
        f"{cost(table, part.images, f'{ident}-cost')}\n</details>\n"
        f"<details><summary>Provenance of each cell</summary>\n"
        f"{origin(table, part.written, f'{ident}-origin')}\n</details>\n"
        + "\n".join(filter(None, sets))
        + "\n</section>"
    )


def _set(part: SetPart, ident: str) -> str:
    pieces = [viewer_html(v, f"{ident}-v{k}", part.dataset) for k, v in enumerate(part.viewers)]
    pieces += [_curves(curves) for curves in part.curves]
    pieces += [picture(caption, png) for caption, png in part.pictures.items()]
    if not pieces and not part.notes:
        return ""
    body = "\n".join(pieces)
    return (
        f"<div{attributes(data_set=part.dataset)}>\n<h3>{escaped(part.dataset)}</h3>\n"
        f"{body}\n{_notes(part.notes)}</div>"
    )


def _training(part: Training, ident: str) -> str:
    methods = "\n".join(
        f"<h3>{escaped(method)}</h3>\n{_curves(curves, small=True)}"
        for method, curves in part.curves.items()
    )
    return (
        f'<section id="{ident}-s">\n'
        f'<h2>Training <span class="of">{escaped(part.profile)}</span></h2>\n'
        f"{methods}\n{_notes(part.notes)}</section>"
    )


def _curves(curves: Curves, small: bool = False) -> str:
    figures = "".join(
        f"<figure><figcaption>{escaped(chart.title)}</figcaption>{line_chart(chart)}</figure>"
        for chart in curves.charts
    )
    kind = "charts lines small-charts" if small else "charts lines"
    return (
        f'<div class="{kind}">{figures}{legend(curves.lines, curves.labels)}</div>\n'
        f'<p class="caption">{escaped(curves.caption)}</p>'
    )


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<p class="lead">{escaped(note)}</p>\n' for note in notes)
