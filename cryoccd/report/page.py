"""A self-contained HTML page of finished tables and their pictures, readable without a network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.report.table import Table
from cryoccd.report.web.document import document, escaped, image_uri
from cryoccd.report.web.html_table import html_table


def write_page(path: Path, tables: Sequence[Table], galleries: Mapping[str, Path]) -> None:
    """Write the page whole or not at all.

    Args:
        path: the HTML file.
        tables: shown in this order.
        galleries: caption to PNG file.

    Raises:
        CryoccdError: a gallery is absent or no PNG.
    """
    write_text(path, page(tables, galleries))


def page(tables: Sequence[Table], galleries: Mapping[str, Path]) -> str:
    """The HTML of the page; see `write_page`."""
    parts = [
        f"<section>\n{html_table(table, f't{number}')}\n</section>"
        for number, table in enumerate(tables)
    ]
    parts += [picture(caption, read_png(path)) for caption, path in galleries.items()]
    title = "cryoccd: " + ", ".join(f"{t.name} ({t.profile})" for t in tables)
    return document(title, "\n".join(["<main>", *parts, "</main>"]))


def picture(caption: str, png: bytes) -> str:
    """A PNG with its caption, as a fragment."""
    text = escaped(caption)
    return (
        f'<figure class="picture"><img alt="{text}" src="{image_uri(png)}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def read_png(path: Path) -> bytes:
    """The bytes of a PNG file.

    Raises:
        CryoccdError: it is absent or no PNG.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CryoccdError(f"{path}: not readable ({error.strerror}); make the gallery") from error
    if not data.startswith(b"\x89PNG"):
        raise CryoccdError(f"{path}: no PNG; make the gallery again")
    return data
