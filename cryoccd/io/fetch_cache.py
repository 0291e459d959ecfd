"""The cache of fetched files: each with its SHA-256 beside it, as `sha256sum --check` reads it."""

import fcntl
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file, write_text

_CHUNK = 1 << 20
_BEGINNINGS = {".cif": (0, b"data_"), ".map": (208, b"MAP"), ".xml": (0, b"<")}
"""What stands at which byte of a file of this suffix."""


def cache_folder() -> Path:
    """$CRYOCCD_CACHE, or cryoccd in $XDG_CACHE_HOME, or ~/.cache/cryoccd."""
    named = os.environ.get("CRYOCCD_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cryoccd"


def is_intact(path: Path, published: str | None = None) -> bool:
    """Whether the file is there and has the checksum beside it, and the published one if known."""
    known = read_checksum(checksum_file(path))
    if known is None or published not in (None, known):
        return False
    return path.is_file() and sha256_file(path) == known


def checksum_file(path: Path) -> Path:
    """Where the checksum of a file stands."""
    return path.with_name(f"{path.name}.sha256")


def read_checksum(path: Path) -> str | None:
    """The SHA-256 in hexadecimal that a checksum file holds; None where it holds none."""
    try:
        words = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return None
    return words[0] if words and re.fullmatch(r"[0-9a-f]{64}", words[0]) else None


def keep(part: Path, path: Path) -> None:
    """Give a complete download its name; a kill in between leaves no file with a wrong checksum."""
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    path.unlink(missing_ok=True)
    write_text(checksum_file(path), f"{sha256_file(part)}  {path.name}\n")
    part.replace(path)


def check_content(part: Path, path: Path) -> None:
    """Refuse a file that is cut short or of another kind than its name, such as an error page.

    Raises:
        CryoccdError: it names the file that `part` should have become.
    """
    packed = path.suffix == ".gz"
    suffix = Path(path.stem).suffix if packed else path.suffix
    at, expected = _BEGINNINGS.get(suffix, (0, b""))  # weights have a published checksum instead
    try:
        with gzip.open(part) if packed else part.open("rb") as stream:
            head = stream.read(_CHUNK)
            while packed and stream.read(_CHUNK):  # to the checksum of the archive
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise CryoccdError(f"{path.name}: what came is no whole .gz file ({error})") from error
    if not head[at:].lstrip().startswith(expected):
        raise CryoccdError(
            f"{path.name}: what came begins with {head[at : at + 8]!r}, expected {expected!r}; "
            "the server sent something else"
        )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold off other processes that fetch the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
