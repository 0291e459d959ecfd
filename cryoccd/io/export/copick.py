"""Tomograms and their particles as a copick project, and as annotations of the CryoET data portal.

copick counts in angstrom from the centre of voxel [0, 0, 0], the portal in voxels from there; the
middle of the ice lies in slice d // 2. Both want the rotation that turns the map of an object into
the tomogram: our matrix A, which takes the point c of the map to A c from the particle's place.

Nothing but NumPy writes all this; copick is needed to open it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.io.atomic import write_text
from cryoccd.io.dataset import TomogramSet
from cryoccd.io.export.copick_objects import PickedObject, picked_objects, radius_A
from cryoccd.io.export.inner_truth import inner_truth
from cryoccd.io.export.ome_zarr import write_ome_zarr
from cryoccd.io.export.portal import write_annotation
from cryoccd.io.mrc import read_mrc

USER, SESSION, RECONSTRUCTION = "cryoccd", "0", "wbp"
"""Who picked, in which session (0 is a tool), and how the tomograms were made."""

_LEVELS = 3


@dataclass(frozen=True)
class CopickOptions:
    """Choices of a copick project.

    Args:
        project_root: where copick finds the project: a folder or a URL. The default, the current
            folder, holds wherever the project is moved, but it must then be opened from inside.
    """

    project_root: str = "."


def write_copick(
    tomograms: TomogramSet,
    root: Path,
    options: CopickOptions,
    advance: Callable[[], None],
) -> int:
    """Write a set of tomograms as a copick project with annotations in the portal's form.

    One volume is in memory at a time. copick_config.json is written last: without it the project
    is unfinished and does not open.

    Args:
        tomograms: the set.
        root: empty folder to write to.
        options: choices.
        advance: called after each tomogram.

    Returns:
        How many particles were written; those outside their tomogram are not.

    Raises:
        CryoccdError: a map, a tomogram or a table that cannot be read, or values that are no
            numbers.
    """
    mark = f"SYNTHETIC cryoccd {tomograms.manifest.get('version')}"
    attributes = {"synthetic": True, "made_by": mark}
    voxel_size_A = tomograms.voxel_size_A
    objects = picked_objects(tomograms)
    entries = [_write_object(root, known, attributes) for known in objects]
    written = 0
    for name in tomograms.names:
        run = root / "ExperimentRuns" / name
        volume = tomograms.volume(name)
        path = run / f"VoxelSpacing{voxel_size_A:.3f}" / f"{RECONSTRUCTION}.zarr"
        write_ome_zarr(path, volume, voxel_size_A, _LEVELS, attributes)
        truth = inner_truth(tomograms, name, volume.shape)
        written += len(truth.table)
        for known in objects:
            chosen = (truth.table["species"] == known.species).to_numpy()
            numbers = truth.table["instance_id"][chosen].tolist()
            places, oriented = truth.xyz_px[chosen], truth.rotations is not None
            turns = truth.rotations[chosen] if truth.rotations is not None else None
            shown = np.eye(3)[None].repeat(len(places), 0) if turns is None else turns
            file = run / "Picks" / f"{USER}_{SESSION}_{known.name}.json"
            picks = {
                "pickable_object_name": known.name,
                "user_id": USER,
                "session_id": SESSION,
                "run_name": name,
                "voxel_spacing": voxel_size_A,
                "unit": "angstrom",
                "trust_orientation": oriented,
                "synthetic": True,
                "points": list(map(_point, places * voxel_size_A, shown, numbers)),
            }
            write_text(file, json.dumps(picks, indent=1))
            if numbers:  # the portal has no empty files
                folder = root / "portal" / name
                write_annotation(folder, known, places, turns, voxel_size_A, mark)
        advance()
    write_text(root / "copick_config.json", json.dumps(_config(mark, entries, options), indent=1))
    return written


def _config(mark: str, entries: list[dict[str, Any]], options: CopickOptions) -> dict[str, Any]:
    place = options.project_root.rstrip("/")
    url = place if "://" in place else f"local://{place}"
    return {
        "config_type": "filesystem",
        "name": "cryoccd",
        "description": f"{mark}: simulated tomograms and their exact labels",
        "version": "1.0.0",
        "pickable_objects": entries,
        "static_root": url,  # the truth is read only, what a user adds goes to overlay/
        "overlay_root": f"{url}/overlay",
        **({"overlay_fs_args": {"auto_mkdir": True}} if url.startswith("local://") else {}),
    }


def _write_object(root: Path, known: PickedObject, attributes: dict[str, Any]) -> dict[str, Any]:
    """Write the map of a species, where there is one, and return its entry in the config."""
    if known.map_path is None:
        return known.entry(None)
    volume, voxel_size_A = read_mrc(known.map_path, ndim=3)
    write_ome_zarr(root / "Objects" / f"{known.name}.zarr", volume, voxel_size_A, 1, attributes)
    return known.entry(radius_A(volume, voxel_size_A))


def _point(
    xyz_A: NDArray[np.float64], rotation: NDArray[np.float64], number: int
) -> dict[str, Any]:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    return {
        "location": dict(zip("xyz", xyz_A.tolist(), strict=True)),
        "transformation_": matrix.tolist(),
        "instance_id": number,
        "score": 1.0,
    }
