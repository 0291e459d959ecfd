"""Tables of RELION STAR files, of any version, found by their columns and not by their order."""

from pathlib import Path

import numpy as np
import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.star_blocks import read_blocks

_GROUP = "rlnOpticsGroup"


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
    table = find_table(path, read_blocks(path), columns)
    if len(table) == 0 and not may_be_empty:
        raise CryoccdError(f"{path}: no rows; expected at least one")
    for column in columns:
        if not column.endswith("Name"):
            bad = ~np.isfinite(table[column].to_numpy(np.float64))
            if bad.any():
                row = int(np.flatnonzero(bad)[0]) + 1
                raise CryoccdError(f"{path}: {column} of row {row} is no number; mend the file")
    return table


def find_table(
    path: Path, blocks: dict[str, pd.DataFrame], columns: tuple[str, ...], name: str = "particles"
) -> pd.DataFrame:
    """The table that has the columns: the block of that name before others.

    Raises:
        CryoccdError: no block has them.
    """
    found = {key: table for key, table in blocks.items() if set(columns) <= set(table.columns)}
    if not found:
        raise CryoccdError(
            f"{path}: no block with the columns {', '.join(columns)}; expected RELION's"
        )
    return found.get(name, next(iter(found.values())))


def join_optics(path: Path, table: pd.DataFrame, optics: pd.DataFrame | None) -> pd.DataFrame:
    """The table with the columns of each row's optics group, where it has groups.

    Args:
        path: for the message.
        table: rows with or without rlnOpticsGroup.
        optics: the block data_optics; None where the file has none.

    Raises:
        CryoccdError: groups without data_optics, or one that data_optics lacks or has twice.
    """
    if _GROUP not in table.columns:
        return table
    if optics is None or _GROUP not in optics.columns:
        raise CryoccdError(
            f"{path}: {_GROUP} without a block data_optics that has it; write the block as well"
        )
    groups = optics[_GROUP]
    twice = groups[groups.duplicated()]
    if len(twice):
        raise CryoccdError(
            f"{path}: data_optics must name each {_GROUP} once, but has {twice.iloc[0]:g} twice"
        )
    unknown = np.flatnonzero(~table[_GROUP].isin(groups))
    if len(unknown):
        raise CryoccdError(
            f"{path}: data_optics must name each {_GROUP} of the table, but lacks "
            f"{table[_GROUP].iloc[unknown[0]]:g} of row {unknown[0] + 1}; mend one of them"
        )
    own = [name for name in optics.columns if name == _GROUP or name not in table.columns]
    return table.merge(optics[own], on=_GROUP, how="left")
