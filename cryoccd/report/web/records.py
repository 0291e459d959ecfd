"""A plain table of records that can be sorted: cost, provenance."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryoccd.report.web.document import attributes, escaped


@dataclass(frozen=True)
class Entry:
    """One entry of a record.

    Args:
        text: what it reads.
        sort: what it is sorted by; None sorts by its text.
        hint: what a pointer on it tells.
    """

    text: str
    sort: float | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Record:
    """One row.

    Args:
        name: its heading.
        entries: one for each column.
        dataset: the data set that it is of; None for all.
    """

    name: str
    entries: tuple[Entry, ...]
    dataset: str | None = None


def records(ident: str, head: str, columns: Sequence[str], rows: Sequence[Record]) -> str:
    """The table as HTML.

    Args:
        ident: its id in the page.
        head: heading of the first column.
        columns: headings of the others.
        rows: in their order.
    """
    names = "".join(f'<th scope="col">{escaped(name)}</th>' for name in (head, *columns))
    lines = "\n".join(
        f'<tr{attributes(data_set=row.dataset)}><th scope="row">{escaped(row.name)}</th>'
        + "".join(map(_entry, row.entries))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="records sortable"{attributes(id=ident)}>\n'
        f"<thead><tr>{names}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table></div>"
    )


def _entry(entry: Entry) -> str:
    return f"<td{attributes(data_v=entry.sort, title=entry.hint)}>{escaped(entry.text)}</td>"
