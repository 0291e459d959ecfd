"""Particles of tomograms from lists of points: copick's JSON and the CryoET portal's ndjson.

copick counts in angstrom, and the translation of a point's matrix is added to its location; the
portal counts in voxels. Both count from the centre of voxel [0, 0, 0], and their matrix is our A.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_json
from cryoccd.io.tomograms.particles import angles_of, particle_rows
from cryoccd.io.tomograms.tomogram import Tomogram


def read_copick_particles(path: Path) -> pd.DataFrame:
    """Particles of one pick file of copick; poses where it says that they can be trusted.

    Raises:
        CryoccdError: no such file, an underscore in the object's name, or points that are none.
    """
    picks = read_json(path)
    label, run = str(picks.get("pickable_object_name", "")), str(picks.get("run_name", ""))
    check_copick_name(path, "object", label)
    points = picks.get("points") or []
    try:
        xyz_A = _places(points)
        matrices = np.array([p.get("transformation_") or np.eye(4) for p in points], np.float64)
        matrices = matrices.reshape(len(points), 4, 4)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_points(path, error) from error
    angles_deg = None
    if picks.get("trust_orientation", True):
        angles_deg = angles_of(matrices[:, :3, :3], str(path))
    return particle_rows(run, label, _finite(path, xyz_A + matrices[:, :3, 3]), angles_deg)


def read_portal_particles(path: Path, tomograms: Mapping[str, Tomogram]) -> pd.DataFrame:
    """Particles of one ndjson file of the portal, of the tomogram that a folder above it names.

    The class is the name in the metadata beside it (the JSON file that lists it), else the name of
    the file. Voxels are those of the tomogram. Points without a matrix have no pose.

    Args:
        path: the file.
        tomograms: by name.

    Raises:
        CryoccdError: no such file, no tomogram of such a name, or points that are none.
    """
    run = next((part for part in reversed(path.parts[:-1]) if part in tomograms), None)
    if run is None:
        raise CryoccdError(
            f"{path}: no folder above it has the name of a tomogram ({', '.join(tomograms)})"
        )
    try:
        lines = path.read_text(encoding="utf8").splitlines()
        points = [json.loads(line) for line in lines if line.strip()]
        places_px = _places(points)
        turned = ["xyz_rotation_matrix" in point for point in points]
        found = [point.get("xyz_rotation_matrix", np.eye(3)) for point in points]
        matrices = np.array(found, np.float64).reshape(len(points), 3, 3)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_points(path, error) from error
    angles_deg = angles_of(matrices, str(path))
    angles_deg[~np.array(turned, bool)] = np.nan
    xyz_A = _finite(path, places_px) * tomograms[run].voxel_size_A
    return particle_rows(run, _portal_label(path), xyz_A, angles_deg)


def check_copick_name(path: Path, what: str, name: str) -> None:
    """Refuse an empty name and one with an underscore, at which copick takes file names apart.

    Raises:
        CryoccdError: it names the file.
    """
    if not name or "_" in name:
        raise CryoccdError(
            f"{path}: {what} {name!r}, but copick takes names apart at underscores; write "
            f"{name.replace('_', '-') or 'a name'!r}"
        )


def _places(points: list[dict[str, Any]]) -> NDArray[np.float64]:
    places = [[float(point["location"][axis]) for axis in "xyz"] for point in points]
    return np.array(places, np.float64).reshape(len(points), 3)


def _finite(path: Path, values: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        raise CryoccdError(f"{path}: point {bad[0] + 1} lies at no number; mend the file")
    return values


def _no_points(path: Path, error: Exception) -> CryoccdError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return CryoccdError(f"{path}: not a readable list of points ({reason}); write it again")


def _portal_label(path: Path) -> str:
    for candidate in sorted(path.parent.glob("*.json")):
        metadata = read_json(candidate)
        files = metadata.get("files") or []
        listed = [Path(str(dict(file).get("path", ""))).name for file in files]
        name = (metadata.get("annotation_object") or {}).get("name")
        if name and (path.name in listed or (not listed and candidate.stem == path.stem)):
            return str(name)
    return path.stem
