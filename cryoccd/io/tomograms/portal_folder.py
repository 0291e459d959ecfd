"""Tomograms and annotations in the layout of the CryoET data portal: one folder a run.

Below ROOT/RUN lie tomograms (*.zarr, *.mrc) and annotations (*.ndjson), at any depth; those in a
folder VoxelSpacing* belong to the tomogram of the same one.
"""

from collections.abc import Iterator
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms.found import Found
from cryoccd.io.tomograms.options import TomogramOptions
from cryoccd.io.tomograms.particles import joined
from cryoccd.io.tomograms.pick_points import read_portal_particles
from cryoccd.io.tomograms.tomogram import (
    TOMOGRAM_SUFFIXES,
    Tomogram,
    find_tomogram,
    same_size,
)
from cryoccd.io.tomograms.walk import walk

_SPACING = "VoxelSpacing"


def is_portal(root: Path) -> bool:
    """Whether a folder of this layout has annotations."""
    runs = (child for child in root.iterdir() if child.is_dir())
    return any(path.suffix == ".ndjson" for run in runs for path in walk(run))


def find_portal(root: Path, options: TomogramOptions) -> Found:
    """The tomogram of each run, and its points.

    Where a tomogram lies both as .zarr and as .mrc of one name, the .zarr is taken.

    Raises:
        CryoccdError: several tomograms in a run, no tomogram at all, or an object that two files
            of a run annotate.
    """
    tomograms, parts = [], []
    for run in sorted(child for child in root.iterdir() if child.is_dir()):
        if options.names and run.name not in options.names:
            continue
        tomogram = _tomogram(run, options)
        if tomogram is None:
            continue
        tomograms.append(tomogram)
        if options.picks is None:
            known = {run.name: tomogram}
            seen: dict[str, Path] = {}
            for file in _annotations(run, tomogram.path):
                rows = read_portal_particles(file, known)
                for label in rows["label"].unique():
                    if label in seen:
                        raise CryoccdError(
                            f"{file}: points of {label}, which {seen[label].name} has as well; "
                            "keep one, or choose with picks"
                        )
                    seen[str(label)] = file
                parts.append(rows)
    if not tomograms:
        raise CryoccdError(f"{root}: no tomogram (.zarr, .mrc) below the folders of its runs")
    return Found(tuple(tomograms), joined(parts) if options.picks is None else None)


def _tomogram(run: Path, options: TomogramOptions) -> Tomogram | None:
    found: dict[Path, Path] = {}
    for path in _volumes(run):
        below = path.relative_to(run)
        names = (*below.parts[:-1], below.stem)
        if options.flavour is not None and options.flavour not in names:
            continue
        spacing_A = _spacing_A(path)
        if options.voxel_size_A and spacing_A and not same_size(spacing_A, options.voxel_size_A):
            continue
        found.setdefault(below.with_suffix(""), path)
    if len(found) > 1:
        listed = ", ".join(str(path) for path in found)
        raise CryoccdError(f"{run}: holds {listed}; choose by flavour and voxel_size_A")
    if not found:
        return None
    (path,) = found.values()
    return find_tomogram(run.name, path, options.voxel_size_A or _spacing_A(path))


def _volumes(folder: Path) -> list[Path]:
    """Volumes below a folder, .zarr before others."""
    paths = [path for path in walk(folder) if path.suffix.lower() in TOMOGRAM_SUFFIXES]
    return sorted(paths, key=lambda path: path.suffix.lower() != ".zarr")


def _annotations(run: Path, tomogram: Path) -> Iterator[Path]:
    own = _spacing(tomogram)
    for path in walk(run):
        if path.suffix == ".ndjson" and _spacing(path) in (None, own):
            yield path


def _spacing(path: Path) -> str | None:
    return next((part for part in path.parts if part.startswith(_SPACING)), None)


def _spacing_A(path: Path) -> float | None:
    text = (_spacing(path) or "").removeprefix(_SPACING)
    try:
        return float(text) if text else None
    except ValueError as error:
        raise CryoccdError(f"{path}: folder {_SPACING}{text}, expected a number") from error
