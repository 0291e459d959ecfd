"""The tables that lie below a results folder, reduced as `cryoccd table` reduces them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.launch.matrix import EXPERIMENTS
from cryoccd.report.anchors import (
    NOISE,
    PICKING,
    PICKING_TOPAZ,
    POSE,
    RESOLUTION,
    VOLUME,
    Anchors,
)
from cryoccd.report.cells import ResultCell
from cryoccd.report.reference import Published
from cryoccd.report.table import Table, reduce_cells

_ANCHORS = {"picking": PICKING, "pose": POSE, "resolution": RESOLUTION, "volume": VOLUME}


@dataclass(frozen=True)
class FoundTable:
    """A folder of cells.

    Args:
        results: the results folder.
        profile: folder in it.
        name: folder in that.
    """

    results: Path
    profile: str
    name: str

    @property
    def folder(self) -> Path:
        """Where the cells are."""
        return self.results / self.profile / self.name

    @property
    def kind(self) -> str:
        """What `cryoccd table` calls it: the name without the way of training and the picker."""
        return self.name.partition("_")[0]

    @property
    def anchors(self) -> Anchors:
        """Rows that are no methods."""
        if self.kind == "picking" and "topaz" in self.name.split("_"):
            return PICKING_TOPAZ
        return _ANCHORS.get(self.kind, NOISE)

    @property
    def matrix(self) -> dict[str, Any]:
        """What its matrix file says, empty where there is none.

        Raises:
            CryoccdError: the file is not readable.
        """
        path = EXPERIMENTS / f"{self.kind}-{self.profile}.yaml"
        return read_yaml(path) if path.is_file() else {}

    def cells(self) -> list[Path]:
        """Files of the cells."""
        return sorted(self.folder.glob("*__*__*.json"))


@dataclass(frozen=True)
class Selection:
    """Rows and columns of a table, see `cryoccd.report.table.reduce_cells`."""

    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    seeds: tuple[int, ...]


def find_tables(results: Path) -> list[FoundTable]:
    """Every results/PROFILE/TABLE with cells, by name.

    Raises:
        CryoccdError: there is no such folder, or nothing in it.
    """
    if not results.is_dir():
        raise CryoccdError(f"{results}: no such results folder; run cryoccd table first")
    places = sorted(path for path in results.glob("*/*") if path.is_dir())
    tables = [FoundTable(results, path.parent.name, path.name) for path in places]
    found = [table for table in tables if table.cells()]
    if not found:
        raise CryoccdError(f"{results}: holds no PROFILE/TABLE with cells; run cryoccd table first")
    return found


def reduce_found(
    found: FoundTable, published: Sequence[Published] = ()
) -> tuple[Table, tuple[str, ...]]:
    """A table of what is there, and notes on what is not.

    Rows, columns and seeds are those of the last `cryoccd table`, which its table.csv names; before
    that they are those of the cells, with the metrics of the table's matrix.

    Raises:
        CryoccdError: the cells do not make a table.
    """
    written = found.folder / "table.csv"
    chosen = _written(written) if written.is_file() else _of_cells(found)
    table = reduce_cells(
        found.results,
        found.profile,
        found.name,
        chosen.methods,
        chosen.datasets,
        chosen.metrics,
        chosen.seeds,
        allow_missing=True,
        reference=[each for each in published if each.table == found.kind],
        anchors=found.anchors,
    )
    wanted = len(table.methods) * len(table.datasets) * len(table.seeds)
    shown = {
        f"{cell.method}__{cell.dataset}__{cell.seed}.json"
        for group in table.cells.values()
        for cell in group
    }
    others = [path.name for path in found.cells() if path.name not in shown]
    notes = []
    if missing := wanted - len(shown):
        notes.append(f"{missing} of {wanted} cells are missing.")
    if others:
        names = ", ".join(others[:4]) + (", ..." if len(others) > 4 else "")
        notes.append(f"{len(others)} cells are outside of the table as last made: {names}")
    return table, tuple(notes)


def _written(path: Path) -> Selection:
    """The selection of a table.csv."""
    try:
        with path.open(encoding="utf8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["source"] == "cryoccd"]
        seeds = tuple(int(seed) for seed in rows[0]["seeds"].split())
        names = [
            tuple(dict.fromkeys(row[key] for row in rows))
            for key in ("method", "dataset", "metric")
        ]
    except (OSError, ValueError, KeyError, IndexError, AttributeError, csv.Error) as error:
        raise CryoccdError(f"{path}: no table as cryoccd writes it; remove it") from error
    return Selection(names[0], names[1], names[2], seeds)


def _of_cells(found: FoundTable) -> Selection:
    """The selection of all cells, in the order of their names."""
    cells = [ResultCell.read(path) for path in found.cells()]
    common = [m for m in cells[0].metrics if all(m in cell.metrics for cell in cells)]
    asked = found.matrix.get("metrics") or []
    return Selection(
        tuple(dict.fromkeys(cell.method for cell in cells)),
        tuple(sorted({cell.dataset for cell in cells})),
        tuple(metric for metric in asked if metric in common) or tuple(common),
        tuple(sorted({cell.seed for cell in cells})),
    )
