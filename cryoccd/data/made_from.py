"""What a folder of data was made from, so that it is made again when that changes.

The marker is hidden: it does not count as data, and a copy of the sources elsewhere, or at another
time, leaves the hash of what was made from them as it was.
"""

import json
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file, write_text

_MARKER = ".made_from.json"


def note_sources(source: Path, output: Path, settings: dict[str, Any]) -> None:
    """Note the files of a folder and the settings, or compare them with what was noted.

    Contents are read again only where the size or the time of a file has changed.

    Raises:
        CryoccdError: the output was made from other contents or with other settings.
    """
    files = {
        path.relative_to(source).as_posix(): path
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }
    made_from = {**settings, "version": cryoccd.__version__}
    marker = output / _MARKER
    if not marker.is_file():
        states = {name: _state(path) for name, path in files.items()}
        write_text(marker, json.dumps({**made_from, "files": states}, indent=1))
        return
    noted = json.loads(marker.read_text(encoding="utf8"))
    states = noted.pop("files")
    if noted != made_from or sorted(states) != sorted(files):
        raise CryoccdError(f"{output}: made of other files or settings; remove it")
    for name, path in files.items():
        if _state(path, states[name])["sha256"] != states[name]["sha256"]:
            raise CryoccdError(f"{output}: {path} has changed since; remove it")


def _state(path: Path, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Size, time and hash of a file; the known hash where size and time are the known ones."""
    found = path.stat()
    state = {"size": found.st_size, "mtime_ns": found.st_mtime_ns}
    if known and all(known[name] == value for name, value in state.items()):
        return known
    return {**state, "sha256": sha256_file(path)}
