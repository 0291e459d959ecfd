"""Micrographs of an EMPIAR entry in the cache: listed, chosen, downloaded one by one.

    CACHE/empiar/10028/FOLDER/listing.txt     names that the archive has there
    CACHE/empiar/10028/FOLDER/chosen.txt      names that were asked for last
    CACHE/empiar/10028/FOLDER/NAME.mrc        with NAME.mrc.sha256

FOLDER is that of the archive below data/. A mirror is any web server of such a cache.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

import tifffile

from cryoccd.errors import CryoccdError
from cryoccd.io.archive_listing import list_folder, read_listing
from cryoccd.io.atomic import check_writable, write_text
from cryoccd.io.download import OnProgress, Transfer
from cryoccd.io.fetch_cache import cache_folder, is_intact
from cryoccd.io.fetch_entries import Hosts
from cryoccd.io.fetch_files import bring_file, chosen_mirror, told
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.io.paper_set import PaperSet

OnFile = Callable[[str, int, int], None]
"""Called with a name, how many files are there, and how many there shall be."""

CHOSEN = "chosen.txt"

MOVIE_SUFFIXES = (".mrc", ".mrcs", ".tif", ".tiff")


def entry_folder(paper: PaperSet, cache: Path | None = None) -> Path:
    """Where the entry lies in the cache."""
    return (cache or cache_folder()) / "empiar" / paper.empiar


def fetch_images(
    paper: PaperSet,
    limit: int | None = None,
    cache: Path | None = None,
    mirror: str | None = None,
    hosts: Hosts | None = None,
    transfer: Transfer | None = None,
    on_file: OnFile | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """The folder with the micrographs of an entry, those downloaded that the cache lacks.

    Args:
        paper: the data set.
        limit: at most so many, in an order drawn by the hash of their names, so that a larger
            limit keeps what a smaller one brought; None for all.
        cache: folder, by default `cache_folder`.
        mirror: http(s) address that serves such a cache folder; by default $CRYOCCD_MIRROR.
        hosts: the archives.
        transfer: attempts, pauses and limits.
        on_file: told of every file.
        on_progress: told of every piece of each file.

    Raises:
        CryoccdError: no such entry or folder, no matching file in it, no network, or a file that
            is no image.
    """
    if limit is not None and limit < 2:
        raise CryoccdError(f"limit = {limit}, expected 2 or more: one to fit on, one to test on")
    transfer, mirror = transfer or Transfer(), chosen_mirror(mirror)
    root, images = entry_folder(paper, cache), paper.images
    folder = root / images.folder
    archive = f"{(hosts or Hosts()).empiar}/{paper.empiar}/data"
    mirrored = mirror and f"{mirror}/empiar/{paper.empiar}"
    with told(paper.identifier, folder):
        place = quote(images.folder)
        listed = mirrored and f"{mirrored}/{place}"
        names = list_folder(folder, f"{archive}/{place}", listed, transfer)
        chosen = _choose(paper, names, limit)
    text = "".join(f"{name}\n" for name in chosen)
    if not (folder / CHOSEN).is_file() or (folder / CHOSEN).read_text(encoding="utf8") != text:
        check_writable(folder / CHOSEN)
        write_text(folder / CHOSEN, text)
    wanted = [f"{images.folder}/{name}" for name in chosen]
    wanted += [images.gain] if images.gain else []
    for done, file in enumerate(wanted):
        if on_file:
            on_file(file, done, len(wanted))
        address = f"{archive}/{quote(file)}"
        bring_file(
            paper.identifier,
            root / file,
            partial(tuple, (address,)),
            mirrored and f"{mirrored}/{quote(file)}",
            transfer,
            on_progress,
            check=_check_image,
        )
    return folder


def cached_images(paper: PaperSet, cache: Path | None = None) -> list[Path]:
    """The files of the micrographs that were asked for last, sorted; their checksums not yet read.

    Raises:
        CryoccdError: nothing was fetched, or less than was asked for; the line tells what to run.
    """
    folder = entry_folder(paper, cache) / paper.images.folder
    command = f"`cryoccd fetch {paper.identifier}`"
    if not (folder / CHOSEN).is_file():
        raise CryoccdError(
            f"{paper.identifier}: no micrographs in {folder}; run {command} (--limit N for some)"
        )
    names = sorted((folder / CHOSEN).read_text(encoding="utf8").splitlines())
    missing = [name for name in names if not (folder / name).is_file()]
    gain = paper.images.gain
    if gain and not (entry_folder(paper, cache) / gain).is_file():
        missing.append(gain)
    if missing:
        matching = sum(paper.images.matches(name) for name in read_listing(folder))
        limit = f" --limit {len(names)}" if len(names) < matching else ""
        raise CryoccdError(
            f"{paper.identifier}: {len(missing)} of {len(names)} files are not in {folder} yet, "
            f"such as {missing[0]}; run `cryoccd fetch {paper.identifier}{limit}`, which goes on"
        )
    return [folder / name for name in names]


def check_intact(paper: PaperSet, path: Path) -> None:
    """Refuse a file of the cache that changed since it was downloaded.

    Raises:
        CryoccdError: its checksum is another; the line tells what to run.
    """
    if not is_intact(path):
        raise CryoccdError(
            f"{path}: does not match its checksum; run `cryoccd fetch {paper.identifier}`, which "
            "replaces it"
        )


def _choose(paper: PaperSet, names: list[str], limit: int | None) -> list[str]:
    images = paper.images
    matching = [name for name in names if images.matches(name)]
    if not matching:
        raise CryoccdError(
            f"{images.folder}: none of {len(names)} files is one of {images.pattern} from "
            f"{images.first or 'the first'} to {images.last or 'the last'}; it has {names[0]}"
        )
    other = next((n for n in matching if not n.lower().endswith(MOVIE_SUFFIXES)), None)
    if other:
        raise CryoccdError(f"{other}: expected images {', '.join(MOVIE_SUFFIXES)}; mend pattern")
    drawn = sorted(matching, key=lambda name: hashlib.sha256(name.encode()).digest())
    return sorted(drawn[:limit])


def _check_image(part: Path, path: Path) -> None:
    """Refuse what is no image, or a cut one."""
    try:
        if path.suffix.lower().startswith(".mrc"):
            read_mrc_shape(part)
        else:
            with tifffile.TiffFile(part) as file:
                page = file.pages[-1]  # found through all others
                ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))
                if max(ends, default=0) > part.stat().st_size:
                    raise CryoccdError("truncated")
    except Exception as error:  # a broken TIFF raises whatever its decoder meets first
        reason = " ".join(str(error).split()).replace(str(part), path.name)
        raise CryoccdError(f"{path.name}: what came is no whole image ({reason})") from error
