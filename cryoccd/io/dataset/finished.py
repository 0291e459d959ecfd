"""What every finished dataset folder has: a manifest, and the files that it lists."""

from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_json
from cryoccd.io.dataset.writer import SCHEMA_VERSION

_AGAIN = "make the set again in an empty folder"


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest of a finished folder whose files are all there.

    Every file has the size that the manifest tells, so that a fault shows before work begins and
    not in its middle.

    Raises:
        CryoccdError: no folder, no manifest (it is unfinished), one of another schema, or a file
            that is absent or of another size.
    """
    if not root.is_dir():
        raise CryoccdError(f"{root}: no such folder")
    if not (root / "manifest.json").is_file():
        raise CryoccdError(
            f"{root}: no manifest.json, so unfinished or no dataset folder; "
            "run the command that makes it again with --resume"
        )
    manifest = read_json(root / "manifest.json")
    if manifest.get("schema_version") != SCHEMA_VERSION:
        raise CryoccdError(
            f"{root}: manifest.json has schema_version "
            f"{manifest.get('schema_version')}, expected {SCHEMA_VERSION}"
        )
    _check_files(root, manifest)
    return manifest


def _check_files(root: Path, manifest: dict[str, Any]) -> None:
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise CryoccdError(f"{root}: manifest.json lists no files; make the set again")
    for name, entry in files.items():
        path = root / name
        if not path.is_file():
            raise CryoccdError(f"{path}: no such file, but manifest.json lists it; {_AGAIN}")
        size, known = path.stat().st_size, dict(entry).get("bytes")
        if size != known:
            raise CryoccdError(f"{path}: {size} bytes, in manifest.json {known}; {_AGAIN}")
