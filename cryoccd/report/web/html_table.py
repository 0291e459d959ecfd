"""A reduced table as an HTML fragment: headings, figures, footnotes.

Every figure carries `data-v`, its distance from the metric's ideal, by which its column is sorted,
so that the best row comes first whichever way the metric runs.
"""

from itertools import groupby

from cryoccd.report.figure import meaning
from cryoccd.report.layout import Layout, TextCell, lay_out
from cryoccd.report.table import Table
from cryoccd.report.text import DAGGER
from cryoccd.report.web.document import attributes, breakable, escaped

_SHADED = "Shaded, in italics: anchors, which are no methods but what these are read against."


def html_table(table: Table, ident: str) -> str:
    """One table with its heading and footnotes.

    Args:
        table: what is shown.
        ident: id of the table in the page.
    """
    layout = lay_out(table)
    sets = [dataset for dataset in table.datasets for _ in table.metrics]
    datasets = [*sets, *[None] * (len(layout.columns) - len(sets))]
    rows = "\n".join(
        f"<tr{attributes(class_='anchor' if name in table.anchors.all else None)}>"
        f'<th scope="row">{escaped(name)}</th>' + "".join(map(_cell, cells, datasets)) + "</tr>"
        for name, cells in layout.rows
    )
    notes = [f"<p><sup>{number}</sup> {escaped(n)}</p>" for number, n in enumerate(layout.notes, 1)]
    remarks = [f"<p>{escaped(line)}</p>" for line in (*layout.remarks, _SHADED)]
    protocol = "".join(f"<li>{escaped(line)}</li>" for line in layout.heading)
    return (
        f'<div class="scroll"><table class="figures sortable"{attributes(id=ident)}>\n'
        f"<caption>{escaped(layout.title)}</caption>\n"
        f"<thead>\n{_head(table, layout, datasets)}\n</thead>\n<tbody>\n{rows}\n</tbody>\n"
        '</table></div>\n<div class="notes">\n'
        + "\n".join(remarks)
        + '\n<div class="foot">'
        + "\n".join(notes)
        + "</div>\n</div>\n"
        f"<details><summary>Protocol</summary>\n<ul>{protocol}</ul>\n</details>"
    )


def _head(table: Table, layout: Layout, datasets: list[str | None]) -> str:
    pairs = zip(layout.columns, datasets, strict=True)
    spans = [(key, len(list(g))) for key, g in groupby(pairs, lambda pair: (pair[0][0], pair[1]))]
    groups = "".join(
        f"<th{attributes(scope='colgroup', colspan=count, data_set=dataset)}>{escaped(name)}</th>"
        for (name, dataset), count in spans
    )
    names = "".join(
        f'<th scope="col"{attributes(data_set=dataset, title=_hint(table, name))}>'
        f"{breakable(name)}</th>"
        for (_, name), dataset in zip(layout.columns, datasets, strict=True)
    )
    return f'<tr><td></td>{groups}</tr>\n<tr><th scope="col">method</th>{names}</tr>'


def _hint(table: Table, name: str) -> str | None:
    return meaning(name) if name in table.metrics else None


def _cell(cell: TextCell, dataset: str | None) -> str:
    marks = [DAGGER] if cell.better else []
    marks += map(str, cell.notes)
    raised = f"<sup>{' '.join(marks)}</sup>" if marks else ""
    value, bracket, interval = cell.text.partition(" [")
    ends = f'<span class="ci"> {escaped(bracket.strip() + interval)}</span>' if bracket else ""
    shown = attributes(
        class_="best" if cell.best else None,
        data_set=dataset,
        data_v=None if cell.sort is None else f"{cell.sort:.6g}",
        title=cell.hint or None,
    )
    return f"<td{shown}>{escaped(value)}{raised}{ends}</td>"
