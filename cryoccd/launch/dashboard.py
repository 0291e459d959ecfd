"""The page of all results: finds tables, pictures and logs, and writes one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.launch.dashboard_parts import Budget, set_part
from cryoccd.launch.dashboard_rows import Rows
from cryoccd.launch.dashboard_sets import GeneratedSets
from cryoccd.launch.dashboard_tables import FoundTable, find_tables, reduce_found
from cryoccd.launch.dashboard_training import Logs
from cryoccd.launch.places import Runs
from cryoccd.report.reference import Published
from cryoccd.report.table import Table
from cryoccd.report.web.dashboard import Dashboard, TablePart, dashboard_html

_CROP_BYTES = 9_000_000
_PICTURE_BYTES = 6_000_000
"""With base64 both grow by a third: 20 MB, and the rest of 25 MB is for tables and curves."""
_SIDES_PX = (160, 128, 96, 64, 48, 32)
_BYTES_PER_PIXEL = 0.66  # of a PNG with 32 greys of noise, by measurement


@dataclass(frozen=True)
class Written:
    """What a page holds.

    Args:
        path: the page.
        tables: tables that it shows.
        cells: cells in them.
        refused: tables that it names with the reason why they are not shown.
        n_bytes: its size.
    """

    path: Path
    tables: int
    cells: int
    refused: tuple[tuple[str, str], ...]
    n_bytes: int


def write_dashboard(
    results: Path, runs: Path, output: Path, published: Sequence[Published] = ()
) -> Written:
    """Write the page whole or not at all.

    Args:
        results: cells and pictures of tables, PROFILE/TABLE.
        runs: folders of the runs, by profile; what is not there is not shown.
        output: the HTML file.
        published: figures that are shown beside.

    Raises:
        CryoccdError: there is no table.
    """
    found = find_tables(results)
    reduced: list[tuple[FoundTable, Table, tuple[str, ...]]] = []
    refused = []
    for each in found:
        try:
            reduced.append((each, *reduce_found(each, published)))
        except CryoccdError as error:
            refused.append((f"{each.name}, {each.profile}", str(error)))
    logs = {each.profile: Logs(Runs(runs / each.profile)) for each in found}
    rows = {each: Rows.of(each, table) for each, table, _ in reduced}
    sets = {
        (each, dataset): GeneratedSets(rows[each], dataset, logs[each.profile].runs)
        for each, table, _ in reduced
        for dataset in table.datasets
    }
    crops = [made for (each, _), made in sets.items() if each.kind != "volume"]
    side_px, budget = _side(crops), Budget(_PICTURE_BYTES)
    parts = tuple(
        TablePart(
            table,
            tuple(set_part(each, sets[each, d], side_px, budget) for d in table.datasets),
            logs[each.profile].images(rows[each]),
            _times(table, results),
            notes,
        )
        for each, table, notes in reduced
    )
    training = [log.training(profile) for profile, log in logs.items()]
    cells = sum(len(group) for _, table, _ in reduced for group in table.cells.values())
    made = (
        f"{len(parts)} tables of {cells} cells below {results}, "
        f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
    )
    page = Dashboard(parts, tuple(t for t in training if t), tuple(refused), made)
    text = dashboard_html(page)
    write_text(output, text)
    return Written(output, len(parts), cells, tuple(refused), output.stat().st_size)


def _side(sets: Sequence[GeneratedSets]) -> int:
    """The largest side of crops with which all of them fit."""
    count = sum(each.crops for each in sets)
    fits = (s for s in _SIDES_PX if count * s * s * _BYTES_PER_PIXEL <= _CROP_BYTES)
    return next(fits, _SIDES_PX[-1])


def _times(table: Table, results: Path) -> dict[tuple[str, str, int], float]:
    return {
        (cell.method, cell.dataset, cell.seed): cell.path(results, table.profile).stat().st_mtime
        for group in table.cells.values()
        for cell in group
    }
