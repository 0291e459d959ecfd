"""The folder of an export: refused, resumed, removed after a fault, marked as finished."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, remove_partial, sha256_file, write_text
from cryoccd.io.checked import read_json
from cryoccd.io.export.options import ExportOptions


@contextmanager
def export_folder(
    output: Path, source: Path, format: str, options: ExportOptions, resume: bool
) -> Iterator[bool]:
    """Whether the folder holds the whole export already; else it is there to be written to.

    While it is written it holds `.export.json`, which tells what is being made; `export.json` takes
    its place when the block has ended. A fault of the input removes what was written; an interrupt
    leaves it for `resume`.

    Raises:
        CryoccdError: a folder that is not empty, or one of another export.
    """
    made_by = _made_by(source, format, options)
    begun, done = output / ".export.json", output / "export.json"
    if output.exists() and not output.is_dir():
        raise CryoccdError(f"{output}: not a folder; choose another --output")
    check_writable(output)
    if output.exists() and any(output.iterdir()):
        if not resume:
            raise CryoccdError(f"{output}: not empty; add --resume to continue, or choose another")
        marker = done if done.is_file() else begun
        if not marker.is_file() or read_json(marker) != made_by:
            raise CryoccdError(f"{output}: holds another export or something else; choose another")
        if marker == done:
            yield True
            return
    there = output.exists()
    write_text(begun, json.dumps(made_by, indent=1))
    remove_partial(output)
    try:
        yield False
    except CryoccdError:
        shutil.rmtree(output, ignore_errors=True)
        if there:
            output.mkdir()
        raise
    begun.replace(done)


def _made_by(source: Path, format: str, options: ExportOptions) -> dict[str, Any]:
    made_by = {
        "format": format,
        "options": asdict(options),
        "version": cryoccd.__version__,
        "input": {"name": source.resolve().name, "sha256": sha256_file(source / "manifest.json")},
    }
    plain: dict[str, Any] = json.loads(json.dumps(made_by))
    return plain
