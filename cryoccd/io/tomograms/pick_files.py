"""One entry for the particles of tomograms in files: CSV, STAR, copick's JSON, portal's ndjson."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_json
from cryoccd.io.tomograms.particles import joined
from cryoccd.io.tomograms.pick_points import read_copick_particles, read_portal_particles
from cryoccd.io.tomograms.pick_tables import read_csv_particles, read_star_particles
from cryoccd.io.tomograms.tomogram import Tomogram
from cryoccd.io.tomograms.walk import walk

PICK_SUFFIXES = (".csv", ".star", ".json", ".ndjson")
"""Suffixes of files with particles; a .json without points is the metadata of another file."""


def read_particles(
    path: Path, tomograms: Mapping[str, Tomogram], unit_A: float | None = None
) -> pd.DataFrame:
    """The particles of a file, or of all files in a folder and below it, as `PARTICLE_TABLE`.

    Args:
        path: file or folder.
        tomograms: by name.
        unit_A: what 1 in x, y, z of a CSV or STAR file is; None takes what the file tells, else
            voxels of the tomogram.

    Raises:
        CryoccdError: nothing there, another kind of file, or a fault in one.
    """
    if path.is_dir():
        files = [file for file in walk(path) if _holds_particles(file)]
        if not files:
            raise CryoccdError(f"{path}: no picks, expected files {', '.join(PICK_SUFFIXES)}")
        return joined([read_particles(file, tomograms, unit_A) for file in files])
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    match path.suffix.lower():
        case ".csv":
            return read_csv_particles(path, tomograms, unit_A)
        case ".star":
            return read_star_particles(path, tomograms, unit_A)
        case ".json":
            return read_copick_particles(path)
        case ".ndjson":
            return read_portal_particles(path, tomograms)
    raise CryoccdError(f"{path}: unknown kind of picks, expected {', '.join(PICK_SUFFIXES)}")


def _holds_particles(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in PICK_SUFFIXES and (suffix != ".json" or "points" in read_json(path))
