"""The table on a terminal."""

from collections.abc import Sequence

import rich.table
from rich.console import Console
from rich.text import Text

from cryoccd.report.layout import Layout, TextCell, lay_out
from cryoccd.report.table import Table
from cryoccd.report.text import DAGGER

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def render(table: Table, console: Console) -> None:
    """Print a table; too wide a one is split by metrics, never by data sets.

    The best row of a column also gets a star, as not every terminal shows bold.
    """
    layout = lay_out(table)
    console.print(Text(layout.title, style="bold"))
    for line in layout.heading:
        console.print(Text(line, style="dim"))
    for block in _blocks(layout, console):
        console.print(block)
    for number, note in enumerate(layout.notes, 1):
        console.print(Text(f"{str(number).translate(_SUPERSCRIPTS)} {note}"))
    for remark in layout.remarks:
        console.print(Text(remark))


def _blocks(layout: Layout, console: Console) -> list[rich.table.Table]:
    unbounded = console.options.update(width=10_000)
    names = dict.fromkeys(name for _, name in layout.columns)
    blocks: list[rich.table.Table] = []
    taken: list[str] = []
    for name in names:
        wider = _grid(layout, [*taken, name])
        if taken and console.measure(wider, options=unbounded).maximum > console.width:
            taken = []
        if not taken:
            blocks.append(_grid(layout, [name]))
        else:
            blocks[-1] = wider
        taken.append(name)
    return blocks


def _grid(layout: Layout, names: Sequence[str]) -> rich.table.Table:
    chosen = [i for i, (_, name) in enumerate(layout.columns) if name in names]
    grid = rich.table.Table()
    grid.add_column("method", no_wrap=True)
    for i in chosen:
        grid.add_column(
            Text("\n".join(filter(None, layout.columns[i]))), justify="right", overflow="fold"
        )
    for name, cells in layout.rows:
        grid.add_row(Text(name), *(_text(cells[i]) for i in chosen))
    return grid


def _text(cell: TextCell) -> Text:
    marks = ("*" if cell.best else "") + (DAGGER if cell.better else "")
    notes = ",".join(map(str, cell.notes)).translate(_SUPERSCRIPTS)
    return Text(cell.text + marks + notes, style="bold" if cell.best else "")
