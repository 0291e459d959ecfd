"""A self-contained HTML page: tables, protocol and galleries, readable without a network.

Pictures are embedded, there is no script, and a content policy forbids anything from outside.
"""

import base64
import html
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.report.layout import Layout, TextCell, lay_out
from cryoccd.report.table import Table
from cryoccd.report.text import DAGGER

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2530; margin: 2rem auto; max-width: 90rem;
  padding: 0 1.5rem; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #dde3ea; }
th { font-weight: 600; } thead th { border-bottom: 2px solid #8896a5; }
th[colspan] { text-align: center; } th[scope=row] { text-align: left; }
tr.anchor { background: #f1f4f7; font-style: italic; }
td.best { font-weight: 700; }
.small { color: #55616e; font-size: .85rem; } .small p { margin: .2rem 0; max-width: 70rem; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption { color: #55616e; font-size: .85rem; }
"""


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
    parts = [html_table(table) for table in tables]
    parts += [_figure(caption, path) for caption, path in galleries.items()]
    title = "cryoccd: " + ", ".join(f"{t.name} ({t.profile})" for t in tables)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def html_table(table: Table) -> str:
    """One table with its heading and footnotes, as a fragment."""
    layout = lay_out(table)
    rows = "\n".join(
        f'<tr{_class("anchor", name in table.anchors.all)}><th scope="row">{html.escape(name)}</th>'
        + "".join(map(_cell, cells))
        + "</tr>"
        for name, cells in layout.rows
    )
    notes = [
        f"<p><sup>{number}</sup> {html.escape(note)}</p>"
        for number, note in enumerate(layout.notes, 1)
    ]
    remarks = [f"<p>{html.escape(line)}</p>" for line in (*layout.remarks, *layout.heading)]
    return (
        f'<section>\n<h2>{html.escape(layout.title)}</h2>\n<div class="scroll"><table>\n'
        f"<thead>\n{_head(layout)}\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>\n"
        '<div class="small">\n' + "\n".join(notes + remarks) + "\n</div>\n</section>"
    )


def _head(layout: Layout) -> str:
    spans = [(name, len(list(g))) for name, g in groupby(group for group, _ in layout.columns)]
    groups = "".join(f'<th colspan="{count}">{html.escape(name)}</th>' for name, count in spans)
    names = "".join(f'<th scope="col">{html.escape(name)}</th>' for _, name in layout.columns)
    return f'<tr><th></th>{groups}</tr>\n<tr><th scope="row">method</th>{names}</tr>'


def _class(name: str, applies: bool) -> str:
    return f' class="{name}"' if applies else ""


def _cell(cell: TextCell) -> str:
    marks = [DAGGER] if cell.better else []
    marks += map(str, cell.notes)
    raised = f"<sup>{' '.join(marks)}</sup>" if marks else ""
    return f"<td{_class('best', cell.best)}>{html.escape(cell.text)}{raised}</td>"


def _figure(caption: str, path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CryoccdError(f"{path}: not readable ({error.strerror}); make the gallery") from error
    if not data.startswith(b"\x89PNG"):
        raise CryoccdError(f"{path}: no PNG; make the gallery again")
    encoded = base64.b64encode(data).decode("ascii")
    text = html.escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/png;base64,{encoded}">'
        f"<figcaption>{text}</figcaption></figure>"
    )
