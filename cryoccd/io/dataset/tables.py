"""The tables of a dataset folder, written row group by row group in constant memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cryoccd.io.atomic import atomic_path
from cryoccd.records import ARTEFACT_COLUMNS, PARTICLE_COLUMNS

_ROWS_AT_ONCE = 10_000
_TEXT = ("micrograph", "tomogram", "box", "class", "species", "kind", "style")
_WHOLE = ("instance_id", "conformation", "seed", "tilt", "acquisition")

COLUMNS = {
    "particles": ("micrograph", *PARTICLE_COLUMNS),
    "artefacts": ("micrograph", *ARTEFACT_COLUMNS),
}
"""Columns of the tables of a set of micrographs; they stand there without rows as well."""

SUBTOMOGRAM_COLUMNS = (
    "tomogram",
    "instance_id",
    "species",
    "conformation",
    "x_A",
    "y_A",
    "z_A",
    "rot_deg",
    "tilt_deg",
    "psi_deg",
)
"""Columns of the particles of a set of tomograms."""


class Table:
    """One table that grows by the rows of one item after the other."""

    def __init__(self, file: pq.ParquetWriter) -> None:
        self._file = file
        self._pending: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Append rows."""
        self._pending += rows
        if len(self._pending) >= _ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._pending:
            self._file.write_table(pa.Table.from_pylist(self._pending, self._file.schema))
        self._pending = []


@contextmanager
def write_table(path: Path, columns: tuple[str, ...]) -> Iterator[Table]:
    """A Parquet file of these columns, whole or absent: it appears when the block has ended."""
    schema = pa.schema([(column, _type(column)) for column in columns])
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema) as file:
        table = Table(file)
        yield table
        table.flush()


def _type(column: str) -> pa.DataType:
    if column in _TEXT:
        return pa.string()
    if column in _WHOLE:
        return pa.int64()
    return pa.bool_() if column == "on_edge" else pa.float64()
