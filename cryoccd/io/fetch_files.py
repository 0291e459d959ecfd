"""One file of an archive into the cache: from the archive or a mirror, checked, whole or not."""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, sha256_file
from cryoccd.io.download import AbsentError, OnProgress, Transfer, UnreachableError, download
from cryoccd.io.fetch_cache import alone, check_content, is_intact, keep, read_checksum

MIRROR_VARIABLE = "CRYOCCD_MIRROR"

Addresses = Callable[[], tuple[str, ...]]
"""Asks where a file is had, the first choice first."""

Check = Callable[[Path, Path], None]
"""Refuses a download that is not the file whose name it should get."""


def chosen_mirror(mirror: str | None) -> str | None:
    """The mirror of the caller, else $CRYOCCD_MIRROR where that is set.

    Raises:
        CryoccdError: it is no web address.
    """
    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    if mirror is not None and not re.fullmatch(r"https?://[^/\s]\S*", mirror):
        raise CryoccdError(f"mirror {mirror!r}, expected an address http://... or https://...")
    return mirror.rstrip("/") if mirror else None


def bring_file(
    identifier: str,
    path: Path,
    archive: Addresses,
    mirrored: str | None,
    transfer: Transfer,
    on_progress: OnProgress | None = None,
    published: str | None = None,
    check: Check = check_content,
) -> None:
    """Download a file where the cache does not hold it whole.

    Args:
        identifier: of the entry, for messages.
        path: its place in the cache.
        archive: where the archive has it.
        mirrored: its address on a mirror, which is asked instead; the checksum beside it is
            verified.
        transfer: attempts, pauses and limits.
        on_progress: told of every piece.
        published: its SHA-256, where that is known beforehand.
        check: refuses what came.

    Raises:
        CryoccdError: no such entry, no network, or a download that is not what it should be.
    """
    if is_intact(path, published):
        return
    check_writable(path)
    with alone(path):
        if is_intact(path, published):  # another process was faster
            return
        with told(identifier, path):
            if mirrored is not None:
                expected = published or _published_checksum(mirrored, transfer)
                _bring((mirrored,), path, expected, transfer, on_progress, check)
            else:
                _bring(archive(), path, published, transfer, on_progress, check)


@contextmanager
def told(identifier: str, path: Path) -> Iterator[None]:
    """Name the entry, and what to do, in the line of whatever a download raises."""
    try:
        yield
    except AbsentError as error:
        raise CryoccdError(f"{identifier}: no such entry ({error})") from error
    except UnreachableError as error:
        raise CryoccdError(
            f"{identifier}: not in the cache and not to be had ({error}); check the network, name "
            f"a --mirror, or copy the file and its checksum to {path}"
        ) from error
    except CryoccdError as error:
        raise CryoccdError(f"{identifier}: {error}") from error


def read_body(address: str, transfer: Transfer) -> bytes:
    """The whole body of an address, for short ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body"
        download(address, path, transfer)
        return path.read_bytes()


def read_json(address: str, transfer: Transfer) -> Any:
    """The JSON document of an address.

    Raises:
        CryoccdError: it is none.
    """
    try:
        return json.loads(read_body(address, transfer))
    except ValueError as error:
        raise CryoccdError(f"{address}: the answer is no JSON ({error})") from error


def _bring(
    addresses: tuple[str, ...],
    path: Path,
    expected: str | None,
    transfer: Transfer,
    on_progress: OnProgress | None,
    check: Check,
) -> None:
    """Download from the first address that has the file; none of them: what the last one said."""
    part = path.with_name(f".{path.name}.part")
    for address in addresses:
        try:
            download(address, part, transfer, on_progress)
            break
        except (AbsentError, UnreachableError):
            if address == addresses[-1]:
                raise
    try:
        if expected is not None and sha256_file(part) != expected:
            raise CryoccdError(
                f"{path.name}: its SHA-256 is not the published {expected}; {address} or the "
                "checksum beside it is damaged"
            )
        check(part, path)
    except CryoccdError:
        part.unlink()
        raise
    keep(part, path)


def _published_checksum(address: str, transfer: Transfer) -> str | None:
    """The checksum beside a file of a mirror; None where it publishes none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sha256"
        try:
            download(f"{address}.sha256", path, transfer)
        except AbsentError:
            return None
        found = read_checksum(path)
    if found is None:
        raise CryoccdError(f"{address}.sha256: no SHA-256 in it")
    return found
