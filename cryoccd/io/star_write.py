"""STAR files of RELION 3.1 that grow row by row, so that their length costs no memory."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cryoccd.io.atomic import atomic_path

Cell = str | int | float


class StarFile:
    """A STAR file under way.

    Args:
        stream: where the text goes.
        comment: one line, such as what made the file.
    """

    def __init__(self, stream: TextIO, comment: str) -> None:
        self._stream = stream
        stream.write(f"# version 30001\n# {comment}\n")

    def loop(self, block: str, columns: Sequence[str]) -> None:
        """Begin a table: its block, without `data_`, and its columns."""
        head = "".join(f"_{column} #{i}\n" for i, column in enumerate(columns, 1))
        self._stream.write(f"\ndata_{block}\n\nloop_\n{head}")

    def rows(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Append rows to the table that was begun last."""
        self._stream.writelines("\t".join(map(_text, row)) + "\n" for row in rows)


@contextmanager
def write_star(path: Path, comment: str) -> Iterator[StarFile]:
    """A STAR file, whole or absent: it appears when the block has ended."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf8") as stream:
        yield StarFile(stream, comment)
        stream.write("\n")


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.6f}"
    text = str(cell)
    return f'"{text}"' if not text or any(c.isspace() for c in text) else text
