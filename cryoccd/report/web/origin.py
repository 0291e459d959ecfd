"""What rows cost and where cells come from, as tables of records."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryoccd.report.cells import ResultCell
from cryoccd.report.table import Table
from cryoccd.report.text import UNDEFINED, duration
from cryoccd.report.web.records import Entry, Record, records

_COST = ("wall time", "longest cell", "cells", "images trained with", "largest n", "device")
_ORIGIN = ("data set", "seed", "made", "seconds", "device", "commit", "config", "data")
_HASH = 10  # letters of a hash that are shown; a pointer on it tells the rest


def cost(table: Table, images: Mapping[str, float], ident: str) -> str:
    """Seconds, wall time, images and device of every row.

    Args:
        table: its cells say how long they took, fits included where a cell made them.
        images: that the models of a row were trained with, by row, all its fits together.
        ident: id in the page.
    """
    rows = []
    for method in table.methods:
        cells = _cells(table, method)
        if not cells:
            continue
        seconds = [float(cell.provenance["seconds"]) for cell in cells]
        seen = images.get(method)
        judged = max((entry["n"] for cell in cells for entry in cell.metrics.values()), default=0)
        entries = (
            Entry(duration(sum(seconds)), sum(seconds), f"{sum(seconds):.1f} s"),
            Entry(duration(max(seconds)), max(seconds), f"{max(seconds):.1f} s"),
            Entry(str(len(cells)), len(cells)),
            Entry(UNDEFINED if seen is None else f"{seen:,.0f}", seen),
            Entry(str(judged), judged),
            Entry(" | ".join(dict.fromkeys(str(c.provenance["device"]) for c in cells))),
        )
        rows.append(Record(method, entries))
    note = "Wall time of making the cells and the fits for them; rows that share a fit pay it once."
    return records(ident, "method", _COST, rows) + f'\n<p class="caption">{note}</p>'


def origin(table: Table, written: Mapping[tuple[str, str, int], float], ident: str) -> str:
    """Commit, versions, device, hashes and date of every cell.

    The date is the one that a cell records; of a cell without one it is that of its file, which a
    copy may have changed, and says so.

    Args:
        table: holds the cells.
        written: (method, data set, seed) to the time of the file, in seconds since 1970.
        ident: id in the page.
    """
    rows = []
    for method in table.methods:
        for cell in _cells(table, method):
            known = cell.provenance
            when = _made(known, written[cell.method, cell.dataset, cell.seed])
            versions = ", ".join(f"{name} {value}" for name, value in known["versions"].items())
            entries = (
                Entry(cell.dataset),
                Entry(str(cell.seed), cell.seed),
                when,
                Entry(f"{known['seconds']:.1f}", known["seconds"]),
                Entry(str(known["device"]), hint=versions),
                *(_hash(known[key]) for key in ("commit", "config_hash", "data_hash")),
            )
            rows.append(Record(method, entries, cell.dataset))
    return records(ident, "method", _ORIGIN, rows)


def _made(known: Mapping[str, Any], written: float) -> Entry:
    try:
        when, words = datetime.fromisoformat(known["made"]), ""
    except (KeyError, TypeError, ValueError):
        when, words = datetime.fromtimestamp(written, UTC), " (file)"
    hint = "time of the cell's file: the cell records none" if words else None
    return Entry(f"{when.astimezone():%Y-%m-%d %H:%M}{words}", when.timestamp(), hint)


def _hash(value: object) -> Entry:
    return Entry(str(value)[:_HASH], hint=str(value))


def _cells(table: Table, method: str) -> list[ResultCell]:
    groups = (table.cells.get((method, dataset), ()) for dataset in table.datasets)
    return [cell for group in groups for cell in group]
