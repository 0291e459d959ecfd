"""Tomograms as OME-Zarr (0.4 and 0.5), by the zarr package: the finest level of the pyramid.

The voxel size is the scale of level 0 in the unit of the spatial axes, angstrom where they name
none, as copick and the CryoET data portal write it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms.voxels import Voxels

_UNITS_A = {"angstrom": 1.0, "nanometer": 10.0, "micrometer": 1e4}
_ROUNDING = 0.01


def open_zarr_volume(path: Path) -> tuple[Voxels, float]:
    """The finest level of an OME-Zarr group and its voxel size in angstrom.

    A bare array, or a group that tells no scale, has the voxel size 0.

    Raises:
        CryoccdError: zarr is absent, nothing readable there, axes other than z, y, x, an unknown
            unit, or voxels that are no cubes.
    """
    try:
        import zarr
    except ImportError as error:
        raise CryoccdError(f"{path}: needs zarr; pip install 'cryoccd[export]'") from error
    if not path.is_dir():
        raise CryoccdError(f"{path}: no such folder")
    try:
        found = zarr.open(str(path), mode="r")
        if not hasattr(found, "attrs") or hasattr(found, "shape"):
            return Voxels(path, found), 0.0
        attributes = dict(found.attrs)
        scales = (attributes.get("ome") or attributes)["multiscales"][0]
        level = scales["datasets"][0]
        values = found[level["path"]]
        voxel_size_A = _voxel_size_A(path, scales.get("axes"), level)
        return Voxels(path / level["path"], values), voxel_size_A
    except CryoccdError:
        raise
    except Exception as error:  # zarr 2 and 3 raise different ones, and metadata are untrusted
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CryoccdError(
            f"{path}: not a readable OME-Zarr volume ({type(error).__name__}: {reason}); write it "
            "again"
        ) from error


def _voxel_size_A(path: Path, axes: Any, level: dict[str, Any]) -> float:
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in axes or "zyx"]
    if names != ["z", "y", "x"]:
        raise CryoccdError(f"{path}: axes {', '.join(map(str, names))}, expected z, y, x")
    units = {axis["unit"] for axis in axes or () if isinstance(axis, dict) and axis.get("unit")}
    unit = units.pop() if len(units) == 1 else "angstrom" if not units else ", ".join(sorted(units))
    if unit not in _UNITS_A:
        raise CryoccdError(f"{path}: axes in {unit}, expected one of {', '.join(_UNITS_A)}")
    for transform in level.get("coordinateTransformations", ()):
        if transform["type"] == "scale":
            edges_A = [float(edge) * _UNITS_A[unit] for edge in transform["scale"]]
            if not np.allclose(edges_A, edges_A[0], rtol=_ROUNDING, atol=0):
                listed = " x ".join(f"{edge:g}" for edge in reversed(edges_A))
                raise CryoccdError(f"{path}: voxels of {listed} A, expected cubes; resample it")
            return edges_A[0]
    return 0.0
