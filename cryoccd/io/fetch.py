"""Structures, maps and weights from public archives, in a cache and verified on every use."""

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, sha256_file
from cryoccd.io.download import AbsentError, OnProgress, Transfer, UnreachableError, download
from cryoccd.io.fetch_cache import (
    alone,
    cache_folder,
    check_content,
    checksum_file,
    is_intact,
    keep,
    read_checksum,
)
from cryoccd.io.fetch_entries import Hosts, parse_entry

MIRROR_VARIABLE = "CRYOCCD_MIRROR"


def cached(identifier: str, cache: Path | None = None) -> Path:
    """The file of a fetched entry, its checksum verified.

    Args:
        identifier: pdb:1PMA, alphafold:P12345, emdb:1234 or weights:inception.
        cache: folder, by default `cache_folder`.

    Raises:
        CryoccdError: not in the cache or damaged there; the line tells what to run.
    """
    entry = parse_entry(identifier)
    path = (cache or cache_folder()) / entry.files[0]
    if not path.is_file():
        raise CryoccdError(f"{identifier}: no {path}; run `cryoccd fetch {identifier}`")
    if not is_intact(path, entry.sha256):
        raise CryoccdError(
            f"{identifier}: {path} does not match a checksum in {checksum_file(path).name}; run "
            f"`cryoccd fetch {identifier}`, which replaces it"
        )
    return path


def fetch(
    identifier: str,
    cache: Path | None = None,
    mirror: str | None = None,
    hosts: Hosts | None = None,
    transfer: Transfer | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """The file of an entry, downloaded where the cache does not hold it whole.

    Args:
        identifier: pdb:1PMA, alphafold:P12345, emdb:1234 or weights:inception.
        cache: folder, by default `cache_folder`.
        mirror: http(s) address that serves the files of such a cache folder, instead of the
            archives; its checksums are verified. By default $CRYOCCD_MIRROR, where that is set.
        hosts: the archives.
        transfer: attempts, pauses and limits.
        on_progress: told of every piece of each file.

    Raises:
        CryoccdError: an identifier of another kind, no such entry, no network, or a download that
            is not what it should be.
    """
    entry = parse_entry(identifier)
    root = cache or cache_folder()
    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    if mirror is not None and not re.fullmatch(r"https?://[^/\s]\S*", mirror):
        raise CryoccdError(f"mirror {mirror!r}, expected an address http://... or https://...")
    transfer = transfer or Transfer()
    for file in entry.files:
        path = root / file
        if is_intact(path, entry.sha256):
            continue
        check_writable(path)
        with alone(path):
            if is_intact(path, entry.sha256):  # another process was faster
                continue
            expected = entry.sha256
            try:
                if mirror is not None:
                    addresses: tuple[str, ...] = (f"{mirror.rstrip('/')}/{file}",)
                    expected = expected or _published_checksum(addresses[0], transfer)
                else:
                    addresses = entry.addresses(file, hosts or Hosts(), _json_reader(transfer))
                _bring(addresses, path, expected, transfer, on_progress)
            except AbsentError as error:
                raise CryoccdError(f"{identifier}: no such entry ({error})") from error
            except UnreachableError as error:
                raise CryoccdError(
                    f"{identifier}: not in the cache and not to be had ({error}); check the "
                    f"network, name a --mirror, or copy the file and its checksum to {path}"
                ) from error
            except CryoccdError as error:
                raise CryoccdError(f"{identifier}: {error}") from error
    return root / entry.files[0]


def recommended_contour(identifier: str, cache: Path | None = None) -> float | None:
    """Contour level that the header of a fetched EMDB entry recommends; None where it has none."""
    header = (cache or cache_folder()) / parse_entry(identifier).files[-1]
    try:
        root = ElementTree.parse(header).getroot()
        contours = root.findall("./map/contour_list/contour")
        contours.sort(key=lambda contour: contour.get("primary") != "true")
        return float(contours[0].findtext("level", "")) if contours else None
    except (OSError, ValueError, ElementTree.ParseError):
        return None


def _bring(
    addresses: tuple[str, ...],
    path: Path,
    expected: str | None,
    transfer: Transfer,
    on_progress: OnProgress | None,
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
        check_content(part, path)
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


def _json_reader(transfer: Transfer) -> Any:
    def read(address: str) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.json"
            download(address, path, transfer)
            try:
                return json.loads(path.read_bytes())
            except ValueError as error:
                raise CryoccdError(f"{address}: the answer is no JSON ({error})") from error

    return read
