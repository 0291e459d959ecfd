"""Tomograms that lie in a folder, with picks beside it."""

from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms.found import Found
from cryoccd.io.tomograms.options import TomogramOptions
from cryoccd.io.tomograms.pick_files import PICK_SUFFIXES, read_particles
from cryoccd.io.tomograms.tomogram import TOMOGRAM_SUFFIXES, find_tomogram


def volumes_in(folder: Path) -> dict[str, Path]:
    """Volumes of a folder by name, sorted.

    Raises:
        CryoccdError: one name twice.
    """
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in TOMOGRAM_SUFFIXES and not path.name.startswith("."):
            if path.stem in found:
                raise CryoccdError(f"{path}: {found[path.stem].name} is there as well; keep one")
            found[path.stem] = path
    return found


def find_plain(root: Path, options: TomogramOptions) -> Found:
    """The volumes of ROOT/tomograms (or ROOT/FLAVOUR, or ROOT itself), picks and maps of ROOT.

    Picks are the folder ROOT/picks or one file ROOT/*.csv, *.star, *.ndjson; maps of the classes
    are ROOT/maps/LABEL.mrc.

    Raises:
        CryoccdError: no volume, or several files of picks.
    """
    folder = root / (options.flavour or "tomograms")
    if options.flavour is None and not folder.is_dir():
        folder = root
    paths = volumes_in(folder)
    if not paths:
        raise CryoccdError(f"{folder}: no tomograms, expected files {', '.join(TOMOGRAM_SUFFIXES)}")
    chosen = options.names or list(paths)
    tomograms = tuple(
        find_tomogram(name, path, options.voxel_size_A)
        for name, path in paths.items()
        if name in chosen
    )
    maps = volumes_in(root / "maps")
    if options.picks is not None:
        return Found(tomograms, None, maps)
    known = {tomogram.name: tomogram for tomogram in tomograms}
    picks = _picks_beside(root)
    particles = read_particles(picks, known, options.picks_pixel_size_A) if picks else None
    return Found(tomograms, particles, maps)


def _picks_beside(root: Path) -> Path | None:
    suffixes = {*PICK_SUFFIXES} - {".json"}
    found = [path for path in sorted(root.iterdir()) if path.suffix.lower() in suffixes]
    if (root / "picks").is_dir():
        found.insert(0, root / "picks")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise CryoccdError(f"{root}: several picks ({names}); choose one with picks")
    return found[0] if found else None
