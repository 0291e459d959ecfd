"""Files that appear whole or not at all."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryoccd.errors import CryoccdError

_PARTIAL = ".part"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary neighbour of `path` to write to; it takes the place of `path` on success.

    The file is synced before it is renamed, and removed where the block raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f"{_PARTIAL}{path.suffix}")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link in place of `target`, or a copy where the file system has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)  # not a link to a link
    except OSError:
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)


def check_writable(path: Path) -> None:
    """Refuse a file or folder that cannot be made, before any work is spent on it.

    Raises:
        CryoccdError: what stands above it is a file, or may not be written to.
    """
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise CryoccdError(f"{path}: {above} is a file, not a folder; choose another place")
    if not os.access(above, os.W_OK | os.X_OK):
        raise CryoccdError(f"{path}: no permission to write in {above}; choose another place")


def remove_partial(root: Path) -> None:
    """Remove the temporary files that a killed process left below a folder."""
    for path in root.rglob(f".*{_PARTIAL}*"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf8")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
