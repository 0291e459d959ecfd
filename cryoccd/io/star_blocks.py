"""STAR files as text: every block in one pass, strict about what a cut file looks like.

One line holds one row, as all programs of the field write it. Cells may be quoted, a `#` at the
start of a cell begins a comment. Columns whose names say so hold text, all others numbers.
"""

import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cryoccd.errors import CryoccdError

_LARGEST = 2**31  # bytes
_TEXT = re.compile(r"(Name|Coordinates|Image|File)$")
_CELL = re.compile(r"""\s*(?:(#.*)|'(.*?)'(?=\s|$)|"(.*?)"(?=\s|$)|(\S+))""")


def read_blocks(path: Path) -> dict[str, pd.DataFrame]:
    """The table of each block by the block's name (without `data_`).

    A block of single values is a table of one row. Cells of columns of numbers are float64, NaN
    where there is no number; those of columns of text (rlnMicrographName) are as written.

    Raises:
        CryoccdError: no such file, no STAR file, a row with too few or too many cells, a last row
            that may be cut, or two tables of one block.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    if path.stat().st_size > _LARGEST:
        raise CryoccdError(f"{path}: {path.stat().st_size} bytes, expected a STAR file below 2 GiB")
    parser = _Parser(path)
    line = "\n"
    try:
        with path.open(encoding="utf8") as stream:
            for parser.line, line in enumerate(stream, 1):
                parser.take(line)
    except ValueError as error:  # no text
        reason = " ".join(str(error).split())
        raise CryoccdError(
            f"{path}: not a readable STAR file ({reason}); write it again"
        ) from error
    if not line.endswith("\n") and parser.in_rows:
        raise CryoccdError(
            f"{path}: line {parser.line} ends without a line break, so its last cell may be cut; "
            "copy the file again, or end the line"
        )
    if not parser.tables:
        raise CryoccdError(f"{path}: no data block; expected a RELION STAR file")
    return {name: table.frame() for name, table in parser.tables.items()}


@dataclass
class _Table:
    columns: dict[str, Any] = field(default_factory=dict)  # a list of text or an array of numbers
    loop: bool = False
    rows: int = 0

    def frame(self) -> pd.DataFrame:
        values = {
            name: pd.Series(cells, dtype=object) if isinstance(cells, list) else np.asarray(cells)
            for name, cells in self.columns.items()
        }
        return pd.DataFrame(values)


class _Parser:
    def __init__(self, path: Path) -> None:
        self.path, self.line = path, 0
        self.tables: dict[str, _Table] = {}
        self._block: str | None = None
        self._known: dict[str, str] = {}  # one object for each text that recurs

    @property
    def in_rows(self) -> bool:
        table = self.tables.get(self._block or "")
        return table is not None and (table.rows > 0 or not table.loop)

    def take(self, line: str) -> None:
        """One line of the file."""
        cells, quoted = _split(line)
        if not cells:
            return
        table = None if self._block is None else self.tables.get(self._block)
        if table is not None and table.loop and table.rows and len(cells) == len(table.columns) > 1:
            self._append(table, cells)
        elif cells[0].startswith("data_") and len(cells) == 1 and not quoted:
            self._block = cells[0].removeprefix("data_")
            if self._block in self.tables:
                raise self._fault(f"a second block data_{self._block}")
        elif self._block is None:
            raise CryoccdError(
                f"{self.path}: holds no table before {cells[0][:40]!r} in line {self.line}; "
                "expected a RELION STAR file, beginning with data_"
            )
        elif cells == ["loop_"] and not quoted:
            if table is not None:
                raise self._fault(f"a second table in data_{self._block}")
            self.tables[self._block] = _Table(loop=True)
        elif cells[0].startswith("_") and not quoted and (table is None or not table.rows):
            self._head(table, cells)
        elif table is not None and table.loop and table.columns:
            self._append(table, cells)
        elif table is not None and not table.loop and cells[0].startswith("_"):
            self._head(table, cells)
        else:
            raise self._fault(f"{cells[0][:40]!r} is no cell of a table")

    def _head(self, table: _Table | None, cells: list[str]) -> None:
        """The name of a column of a loop, or of a single value and the value."""
        name = cells[0].removeprefix("_")
        if table is not None and name in table.columns:
            raise self._fault(f"a second column _{name[:40]}")
        if table is not None and table.loop:
            if len(cells) != 1:
                self._append(table, cells)  # a row whose first cell begins so
                return
            table.columns[name] = [] if _TEXT.search(name) else array("d")
            return
        if len(cells) != 2:
            raise self._fault(f"_{name[:40]} has {len(cells) - 1} values, expected 1")
        table = self.tables.setdefault(self._block or "", _Table())
        table.columns[name] = [cells[1]] if _TEXT.search(name) else array("d", [_number(cells[1])])

    def _append(self, table: _Table, cells: list[str]) -> None:
        if len(cells) != len(table.columns):
            raise self._fault(
                f"row {table.rows + 1} of data_{self._block} has {len(cells)} cells, expected "
                f"{len(table.columns)}"
            )
        table.rows += 1
        for column, cell in zip(table.columns.values(), cells, strict=True):
            if isinstance(column, list):
                column.append(self._known.setdefault(cell, cell))
            else:
                column.append(_number(cell))

    def _fault(self, what: str) -> CryoccdError:
        return CryoccdError(
            f"{self.path}: not a readable STAR file (line {self.line}: {what}); copy or write it "
            "again"
        )


def _split(line: str) -> tuple[list[str], bool]:
    """Cells of a line, and whether the first of them was quoted."""
    if not ("#" in line or "'" in line or '"' in line):
        return line.split(), False
    found = [match for match in _CELL.finditer(line.rstrip()) if match[1] is None]
    cells = [next(text for text in match.groups()[1:] if text is not None) for match in found]
    return cells, bool(found) and found[0][4] is None


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
