"""Volumes as OME-Zarr 0.4: a folder of raw chunks with JSON beside them.

That is all the format is without compression, so nothing but NumPy writes it, and zarr 2 and 3 both
read it. Noise, which is most of a tomogram, would not get smaller by compression anyhow.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.io.atomic import write_text

_CHUNK = 128


def write_ome_zarr(
    path: Path,
    volume: NDArray[np.float32],
    voxel_size_A: float,
    levels: int,
    attributes: dict[str, Any],
) -> None:
    """Write a pyramid of local means whose voxels double from level to level.

    Args:
        path: folder to make, NAME.zarr.
        volume: (d, h, w) level 0, axes z, y, x.
        voxel_size_A: of level 0.
        levels: how many; side n of one is ceil(n / 2) of the next.
        attributes: what else goes into the attributes of the group.
    """
    datasets = []
    for level in range(levels):
        if level:
            volume = _halved(volume)
        _write_array(path / str(level), volume)
        datasets.append(
            {"path": str(level), "coordinateTransformations": _transforms(level, voxel_size_A)}
        )
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    multiscales = [{"version": "0.4", "name": path.stem, "axes": axes, "datasets": datasets}]
    _write_json(path / ".zattrs", {"multiscales": multiscales, **attributes})
    _write_json(path / ".zgroup", {"zarr_format": 2})


def _transforms(level: int, voxel_size_A: float) -> list[dict[str, Any]]:
    """Scale of a level, and where the mean of 2^level voxels has its centre."""
    scale = {"type": "scale", "scale": [voxel_size_A * 2**level] * 3}
    shift_A = voxel_size_A * (2**level - 1) / 2
    return [scale, {"type": "translation", "translation": [shift_A] * 3}] if level else [scale]


def _halved(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 x 2 x 2 voxels; at an odd end of those that are there."""
    if any(side % 2 for side in volume.shape):
        volume = np.pad(volume, [(0, side % 2) for side in volume.shape], mode="edge")
    d, h, w = (side // 2 for side in volume.shape)
    blocks = volume.reshape(d, 2, h, 2, w, 2)
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _write_array(path: Path, values: NDArray[np.float32]) -> None:
    chunk = [min(_CHUNK, side) for side in values.shape]
    counts = [-(-side // width) for side, width in zip(values.shape, chunk, strict=True)]
    for place in product(*map(range, counts)):
        block = values[tuple(slice(k * n, (k + 1) * n) for k, n in zip(place, chunk, strict=True))]
        whole = np.zeros(chunk, "<f4")  # chunks at the rim are stored in full size
        whole[tuple(map(slice, block.shape))] = block
        file = path.joinpath(*map(str, place))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(whole.tobytes())
    array = {
        "zarr_format": 2,
        "shape": list(values.shape),
        "chunks": chunk,
        "dtype": "<f4",
        "compressor": None,
        "fill_value": 0.0,
        "filters": None,
        "order": "C",
        "dimension_separator": "/",
    }
    _write_json(path / ".zarray", array)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    write_text(path, json.dumps(values, indent=1))
