"""The maps that the labels of a set refer to."""

from pathlib import Path

import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Volume

_FURTHEST = 0.1  # of the pixel size; what is less is a fault of the labels and told as such


def read_maps(folder: Path, pixel_size_A: float) -> dict[str, Projector]:
    """The maps of a folder by name.

    Raises:
        CryoccdError: no such folder, a map that is no cube, or one at another pixel size.
    """
    if not folder.is_dir():
        raise CryoccdError(f"{folder}: no such folder of maps")
    maps = {}
    for path in sorted(folder.glob("*.mrc")):
        values, voxel_size_A = read_mrc(path, ndim=3)
        if abs(voxel_size_A / pixel_size_A - 1) > _FURTHEST:
            raise CryoccdError(
                f"{path}: voxel size {voxel_size_A:g} A, expected that of the micrographs, "
                f"{pixel_size_A:g} A; resample the map"
            )
        try:
            maps[path.stem] = Projector(Volume(torch.from_numpy(values), voxel_size_A))
        except CryoccdError as error:
            raise CryoccdError(f"{path}: {error}") from error
    return maps
