"""Annotations as the CryoET data portal has them: points, one a line, oriented where known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.io.atomic import write_text
from cryoccd.io.export.copick_objects import PickedObject


def write_annotation(
    folder: Path,
    known: PickedObject,
    xyz_px: NDArray[np.float64],
    rotations: NDArray[np.float64] | None,
    voxel_size_A: float,
    mark: str,
) -> None:
    """Write OBJECT.ndjson and what the portal wants to know of it, OBJECT.json.

    What only a depositor knows (authors, the object's identifier) is left empty.

    Args:
        folder: of the tomogram.
        known: what was annotated.
        xyz_px: (n, 3) positions in voxels from the centre of voxel [0, 0, 0].
        rotations: (n, 3, 3) matrices from the object to the tomogram; None where not known.
        voxel_size_A: of the tomogram.
        mark: says that the data is synthetic.
    """
    kind = "point" if rotations is None else "orientedPoint"
    points: list[dict[str, Any]] = [
        {"type": kind, "location": dict(zip("xyz", xyz.tolist(), strict=True))} for xyz in xyz_px
    ]
    if rotations is not None:
        for point, rotation in zip(points, rotations, strict=True):
            point["xyz_rotation_matrix"] = rotation.tolist()
    file = f"{known.name}.ndjson"
    write_text(folder / file, "".join(json.dumps(point) + "\n" for point in points))
    metadata = {
        "annotation_object": {"name": known.species, "id": "", "description": mark},
        "annotation_method": f"{mark}: truth of the simulation",
        "method_type": "simulated",
        "ground_truth_status": True,
        "object_count": len(points),
        "authors": [],
        "voxel_spacing": voxel_size_A,
        "synthetic": True,
        "files": [{"format": "ndjson", "path": file, "shape": kind[0].upper() + kind[1:]}],
    }
    write_text(folder / f"{known.name}.json", json.dumps(metadata, indent=1))
