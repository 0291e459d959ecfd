"""The frame of every HTML page: one file, no request to anything outside of it.

Style and script stand in page.css and page.js beside this file and are written into the page. The
content policy names the script by its SHA-256, so that no other can run, whatever a name or a note
of a cell may hold. Without the script the page reads the same, but for sorting and sliders.
"""

import base64
import hashlib
import html
from functools import cache
from importlib.resources import files


def document(title: str, body: str) -> str:
    """A whole page.

    Args:
        title: plain text.
        body: HTML of what stands below the heading.
    """
    style, script = asset("page.css"), asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escaped(title)}</h1>\n"
        '<button id="theme" type="button" hidden>theme: system</button>\n</header>\n'
        f"{body}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def escaped(text: str) -> str:
    """Text for HTML, also between quotes."""
    return html.escape(text)


def breakable(name: str) -> str:
    """A name in HTML that may be broken after each underscore."""
    return escaped(name).replace("_", "_<wbr>")


def attributes(**values: str | float | None) -> str:
    """Attributes of a tag, those that are None left out; `data_set` is written data-set."""
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for name, value in values.items()
        if value is not None
    )


def image_uri(png: bytes) -> str:
    """A PNG as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


@cache
def asset(name: str) -> str:
    """The text of a file beside this one."""
    return (files(__package__) / name).read_text(encoding="utf8")
