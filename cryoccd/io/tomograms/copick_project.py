"""Tomograms and picks of a copick project, by its files (https://copick.github.io/copick).

ROOT/ExperimentRuns/RUN/VoxelSpacing10.000/TYPE.zarr and .../RUN/Picks/USER_SESSION_OBJECT.json, in
the static root and in the overlay, where a user's own files are.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_json
from cryoccd.io.tomograms.found import Found
from cryoccd.io.tomograms.options import TomogramOptions
from cryoccd.io.tomograms.particles import joined
from cryoccd.io.tomograms.pick_points import check_copick_name, read_copick_particles
from cryoccd.io.tomograms.tomogram import Tomogram, find_tomogram, same_size

CONFIG = "copick_config.json"
_RUNS, _SPACING = "ExperimentRuns", "VoxelSpacing"


def find_copick(config: Path, options: TomogramOptions) -> Found:
    """The tomograms of one type and spacing, and one set of picks of each particle.

    Args:
        config: the project's JSON file.
        options: flavour = tomogram type; user and session of the picks.

    Raises:
        CryoccdError: a name with an underscore, a choice that is left open, or files that cannot
            be read.
    """
    project = read_json(config)
    objects = _objects(config, project)
    roots = _roots(config, project)
    runs = sorted({run.name for root in roots for run in _folders(root / _RUNS)})
    chosen = options.names or runs
    tomograms = []
    for run in runs:
        if run in chosen:
            tomogram = _tomogram(config, roots, run, options)
            tomograms += [tomogram] if tomogram else []
    if not tomograms:
        raise CryoccdError(
            f"{config}: no tomogram{f' of type {options.flavour}' if options.flavour else ''} in "
            f"{roots[0] / _RUNS}"
        )
    maps = {
        path.stem: path
        for root in roots
        for path in sorted((root / "Objects").glob("*.zarr"))
        if path.stem in objects
    }
    particles = None
    if options.picks is None:
        names = [tomogram.name for tomogram in tomograms]
        particles = joined([_picks(config, roots, run, objects, options) for run in names])
    return Found(tuple(tomograms), particles, maps)


def _objects(config: Path, project: dict[str, Any]) -> list[str]:
    """Names of the particles among the objects."""
    try:
        entries = [dict(entry) for entry in project["pickable_objects"]]
    except (KeyError, TypeError, ValueError) as error:
        raise CryoccdError(f"{config}: no pickable_objects; expected a copick project") from error
    for entry in entries:
        check_copick_name(config, "object", str(entry.get("name", "")))
    return [str(entry["name"]) for entry in entries if entry.get("is_particle", True)]


def _roots(config: Path, project: dict[str, Any]) -> list[Path]:
    """Folders with runs: static root, overlay, or the config's own where the project was moved."""
    places = []
    for key in ("static_root", "overlay_root"):
        scheme, _, place = str(project.get(key) or "").rpartition("://")
        if scheme not in ("", "local", "file"):
            raise CryoccdError(f"{config}: {key} on {scheme}://, expected local files; fetch them")
        if place:
            places.append(config.parent / place)
    found = [place for place in places if (place / _RUNS).is_dir()]
    if not found:
        beside = (config.parent, config.parent / "overlay")
        found = [place for place in beside if (place / _RUNS).is_dir()]
    if not found:
        raise CryoccdError(
            f"{config}: no folder {_RUNS} in its static_root, overlay_root or beside"
        )
    return list(dict.fromkeys(found))


def _tomogram(
    config: Path, roots: list[Path], run: str, options: TomogramOptions
) -> Tomogram | None:
    """The tomogram of a run; None where it has none of the type and spacing asked for."""
    found: dict[str, Path] = {}
    for root in roots:
        for path in sorted((root / _RUNS / run).glob(f"{_SPACING}*/*.zarr")):
            found[f"{path.parent.name}/{path.stem}"] = path
    kept = [
        path
        for path in found.values()
        if not path.stem.endswith("_features")  # which copick keeps beside the tomogram
        and options.flavour in (None, path.stem)
        and (
            options.voxel_size_A is None
            or same_size(_spacing_A(config, path.parent.name), options.voxel_size_A)
        )
    ]
    if len(kept) > 1:
        listed = ", ".join(f"{path.parent.name}/{path.stem}" for path in kept)
        raise CryoccdError(
            f"{config}: run {run} has {listed}; choose by flavour (the type) and voxel_size_A"
        )
    if not kept:
        return None
    return find_tomogram(run, kept[0], _spacing_A(config, kept[0].parent.name))


def _spacing_A(config: Path, folder: str) -> float:
    try:
        return float(folder.removeprefix(_SPACING))
    except ValueError as error:
        raise CryoccdError(
            f"{config}: folder {folder}, expected {_SPACING} and a number"
        ) from error


def _picks(
    config: Path, roots: list[Path], run: str, objects: list[str], options: TomogramOptions
) -> pd.DataFrame:
    found: dict[str, dict[tuple[str, str], Path]] = {}
    for root in roots:
        for path in sorted((root / _RUNS / run / "Picks").glob("[!.]*.json")):
            parts = path.stem.split("_")
            if len(parts) != 3:
                raise CryoccdError(
                    f"{path}: expected USER_SESSION_OBJECT.json; copick takes names apart at "
                    "underscores, so none of the three may have one"
                )
            user, session, name = parts
            if options.user in (None, user) and options.session in (None, session):
                found.setdefault(name, {})[user, session] = path
    for name, choices in found.items():
        if name in objects and len(choices) > 1:
            listed = ", ".join(f"{user} {session}" for user, session in choices)
            raise CryoccdError(
                f"{config}: run {run} has picks of {name} by {listed}; choose user and session"
            )
    paths = [path for name in objects for path in found.get(name, {}).values()]
    return joined([read_copick_particles(path).assign(tomogram=run) for path in paths])


def _folders(path: Path) -> list[Path]:
    return sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
