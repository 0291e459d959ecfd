"""Picks from tables of text: Topaz (image_name, x_coord, y_coord, by tabs) and CSV (x_px, y_px)."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.micrographs import Picks, by_micrograph


def read_topaz(path: Path) -> Picks:
    """Picks of one file of Topaz; further columns, such as score, are left alone.

    Raises:
        CryoccdError: no such table, a missing column, no rows, or no number.
    """
    table = _table(path, "\t", ("image_name", "x_coord", "y_coord"))
    return by_micrograph(path, table["image_name"], _points_px(path, table, "x_coord", "y_coord"))


def read_csv(path: Path) -> Picks:
    """Picks of one CSV file, with a column micrograph or else named after its micrograph.

    Without that column a header alone means no picks.

    Raises:
        CryoccdError: no such table, a missing column, or no number.
    """
    table = _table(path, ",", ("x_px", "y_px"))
    points_px = _points_px(path, table, "x_px", "y_px")
    if "micrograph" in table.columns:
        return by_micrograph(path, table["micrograph"], points_px)
    return {image_stem(path.stem): points_px}


def _table(path: Path, separator: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """All cells as text: a micrograph called 007 keeps its name."""
    try:
        table = pd.read_csv(path, sep=separator, skipinitialspace=True, dtype=str)
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


def _points_px(path: Path, table: pd.DataFrame, x: str, y: str) -> NDArray[np.float64]:
    columns = [pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in (x, y)]
    points_px = np.stack(columns, axis=1)
    bad = np.flatnonzero(~np.isfinite(points_px).all(axis=1))
    if len(bad):
        raise CryoccdError(f"{path}: row {bad[0] + 1} holds no pair of numbers in {x}, {y}")
    return points_px
