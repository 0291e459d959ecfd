"""Tables of RELION STAR files, of any version, found by their columns and not by their order."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import starfile

from cryoccd.errors import CryoccdError

_LARGEST = 2**31  # bytes


def read_star_table(
    path: Path, columns: tuple[str, ...], may_be_empty: bool = False
) -> pd.DataFrame:
    """The first table of a STAR file that has all these columns of finite numbers.

    Args:
        path: the file.
        columns: what the table must have.
        may_be_empty: whether a table without rows is one, as of a micrograph without picks.

    Raises:
        CryoccdError: no such file, no STAR file, no block with the columns, no rows, or what is
            no number.
    """
    for table in _blocks(path).values():
        if isinstance(table, dict):  # a block without loop: one row
            table = pd.DataFrame([table])
        if set(columns) <= set(table.columns):
            return _checked(path, table, columns, may_be_empty)
    raise CryoccdError(f"{path}: no block with the columns {', '.join(columns)}; expected RELION's")


def _blocks(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    if path.stat().st_size > _LARGEST:
        raise CryoccdError(f"{path}: {path.stat().st_size} bytes, expected a STAR file below 2 GiB")
    try:
        blocks: dict[str, Any] = starfile.read(path, always_dict=True)
    except Exception as error:  # its parser raises whatever pandas, python or the disk raise
        reason = " ".join(str(error).split())
        raise CryoccdError(
            f"{path}: not a readable STAR file ({reason}); write it again"
        ) from error
    if not blocks:
        raise CryoccdError(f"{path}: no data block; expected a RELION STAR file")
    return blocks


def _checked(
    path: Path, table: pd.DataFrame, columns: tuple[str, ...], may_be_empty: bool
) -> pd.DataFrame:
    if len(table) == 0 and not may_be_empty:
        raise CryoccdError(f"{path}: no rows; expected at least one")
    table = table.copy()
    for column in columns:
        if column.endswith("Name"):
            continue
        table[column] = pd.to_numeric(table[column], errors="coerce")
        bad = ~np.isfinite(table[column].to_numpy(np.float64))
        if bad.any():
            row = int(np.flatnonzero(bad)[0]) + 1
            raise CryoccdError(f"{path}: {column} of row {row} is no number; mend the file")
    return table
