"""All rows of a set of foreign picks in one table, with the micrograph of each."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.imports.match import Names
from cryoccd.io.picks import PickTable

_SHIFTS = ("origin_x_A", "origin_y_A", "origin_x_px", "origin_y_px")
_NUMBERS = ("x_px", "y_px", "row", *_SHIFTS)


def gather(tables: Sequence[PickTable]) -> pd.DataFrame:
    """One row a pick: source, row (from 1 in its table), written (the micrograph), and the rest.

    Shifts that a file does not tell are 0; where it tells them in angstrom, those rule.
    """
    parts = []
    for table in tables:
        part = table.rows.drop(columns="micrograph", errors="ignore")
        named = table.named_after or table.rows["micrograph"].fillna("").astype(str)
        if "origin_x_A" in part:
            part = part.drop(columns=["origin_x_px", "origin_y_px"], errors="ignore")
        part = part.assign(**{shift: 0.0 for shift in _SHIFTS if shift not in part})
        part = part.assign(source=str(table.path), row=range(1, len(part) + 1), written=named)
        if len(part):
            parts.append(part)
    if not parts:
        empty = pd.DataFrame(columns=["source", "written", *_NUMBERS])
        return empty.astype(dict.fromkeys(_NUMBERS, float))
    return pd.concat(parts, ignore_index=True)


def match(rows: pd.DataFrame, names: Sequence[str], picks: Path, folder: Path) -> pd.DataFrame:
    """The rows with a column micrograph: the name in the folder, "" where it has none such.

    Raises:
        CryoccdError: no pick is of a micrograph of the folder, or two names mean the same one.
    """
    known = Names(names)
    pairs = rows[["source", "written"]].drop_duplicates()
    found = {written: known.find(written) for written in pairs["written"]}
    meant: dict[str, str] = {}
    for source, written in pairs.itertuples(index=False):
        name = found[written]
        place = f"{written!r} of {source}"
        if name is not None and meant.setdefault(name, place) != place:
            raise CryoccdError(
                f"{picks}: {meant[name]} and {place} both mean the micrograph {name}; keep one"
            )
    if len(rows) and not meant:
        raise CryoccdError(
            f"{picks}: no pick is of a micrograph of {folder}; the picks name {next(iter(found))!r}"
            f", the folder has {names[0]!r}"
        )
    return rows.assign(micrograph=[found[written] or "" for written in rows["written"]])
