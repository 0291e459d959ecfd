"""What a user gets of finished cells: the table in five formats, pictures, one offline page."""

from collections.abc import Sequence

from cryoccd.launch.run_table import RunTable
from cryoccd.report.page import write_page
from cryoccd.report.reference import Published
from cryoccd.report.table import reduce_cells
from cryoccd.report.terminal import render
from cryoccd.report.writers import write_table


def finish(run: RunTable, allow_missing: bool, published: Sequence[Published] = ()) -> None:
    """Reduce the cells, print the table, write table files, pictures and the page.

    Args:
        run: the table.
        allow_missing: whether cells may be missing.
        published: tables that are shown beside.
    """
    matrix = run.matrix
    table = reduce_cells(
        run.results,
        matrix.profile,
        matrix.table,
        matrix.methods,
        [spec.name for spec in matrix.datasets],
        matrix.metrics,
        run.seeds,
        allow_missing,
        published,
        run.columns[0].anchors,
    )
    render(table, run.console)
    written = list(write_table(table, run.results))
    folder = run.results / matrix.profile / matrix.table
    pictures = {}
    for column in run.columns:
        path = folder / f"{column.picture}_{column.spec.name}.png"
        if column.draw(path, run.rows(column), run.seeds):
            pictures[column.spec.name] = path
    page = folder / "table.page.html"
    write_page(page, [table], pictures)
    for path in [*written, *pictures.values(), page]:
        run.console.print(f"written {path}", style="dim")
