"""Picks from tables of text: Topaz (image_name, x_coord, y_coord, by tabs) and CSV (x_px, y_px)."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.table import PickTable, first_without, frame_of


def read_topaz(path: Path) -> PickTable:
    """Picks of one file of Topaz; further columns, such as score, are left alone.

    Raises:
        CryoccdError: no such table, a missing column, or no rows.
    """
    table = _table(path, "\t", ("image_name", "x_coord", "y_coord"))
    return _named(path, table, "image_name", "x_coord", "y_coord")


def read_csv(path: Path) -> PickTable:
    """Picks of one CSV file, with a column micrograph or else named after its micrograph.

    Without that column a header alone means no picks.

    Raises:
        CryoccdError: no such table, a missing column, or no rows with that column.
    """
    table = _table(path, ",", ("x_px", "y_px"))
    if "micrograph" in table.columns:
        return _named(path, table, "micrograph", "x_px", "y_px")
    points_px = _points_px(table, "x_px", "y_px")
    fault = first_without(points_px, "x_px, y_px")
    return PickTable(path, frame_of(points_px), image_stem(path.stem), fault)


def _named(path: Path, table: pd.DataFrame, name: str, x: str, y: str) -> PickTable:
    if len(table) == 0:
        raise CryoccdError(f"{path}: no rows, so no micrograph is named; expected at least one")
    points_px = _points_px(table, x, y)
    rows = frame_of(points_px).assign(micrograph=table[name])
    return PickTable(path, rows, fault=first_without(points_px, f"{x}, {y}"))


def _table(path: Path, separator: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """All cells as text: a micrograph called 007 or NA keeps its name."""
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            skipinitialspace=True,
            dtype=str,
            keep_default_na=False,
            na_values=[""],
        )
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not a readable table of picks ({reason})") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first of too many cells away
        raise CryoccdError(f"{path}: rows have more cells than line 1 has names; name each column")
    missing = [column for column in columns if column not in table.columns]
    if missing:
        found = " ".join(", ".join(map(str, table.columns)).split())[:80]
        raise CryoccdError(f"{path}: no column {missing[0]} (found {found}); name it in line 1")
    return table


def _points_px(table: pd.DataFrame, x: str, y: str) -> NDArray[np.float64]:
    columns = [pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in (x, y)]
    return np.stack(columns, axis=1)
