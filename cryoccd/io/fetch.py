"""Structures, maps and weights from public archives, in a cache and verified on every use."""

from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from cryoccd.errors import CryoccdError
from cryoccd.io.download import OnProgress, Transfer
from cryoccd.io.fetch_cache import cache_folder, checksum_file, is_intact
from cryoccd.io.fetch_entries import Hosts, parse_entry
from cryoccd.io.fetch_files import bring_file, chosen_mirror, read_json


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
    root, mirror = cache or cache_folder(), chosen_mirror(mirror)
    transfer = transfer or Transfer()
    ask = partial(read_json, transfer=transfer)
    for file in entry.files:
        bring_file(
            identifier,
            root / file,
            partial(entry.addresses, file, hosts or Hosts(), ask),
            mirror and f"{mirror}/{file}",
            transfer,
            on_progress,
            entry.sha256,
        )
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
