"""The maps of the classes, from the files that lie with the tomograms or in a folder."""

from collections.abc import Iterable
from pathlib import Path

import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import TomogramSource, open_volume
from cryoccd.records import Volume


def read_maps(
    source: TomogramSource, names: Iterable[str], folder: Path | None = None
) -> dict[str, Volume]:
    """Maps by name.

    Args:
        source: whose own maps are taken where no folder is given.
        names: what is needed, LABEL or LABEL-CONFORMATION.
        folder: has NAME.mrc or NAME.zarr.

    Raises:
        CryoccdError: a map that is not there, is no cube, or has no voxel size.
    """
    maps = {}
    for name in sorted(set(names)):
        path = source.maps.get(name)
        if folder is not None:
            path = next(
                (p for s in (".mrc", ".zarr") if (p := folder / f"{name}{s}").exists()), None
            )
        if path is None:
            where = folder or source.root
            raise CryoccdError(f"{where}: no map of {name}; give maps, a folder with {name}.mrc")
        voxels, voxel_size_A = open_volume(path)
        try:
            values = torch.from_numpy(voxels.block((0, 0, 0), voxels.shape))
            maps[name] = Volume(values, voxel_size_A)
        except CryoccdError as error:
            raise CryoccdError(f"{path}: {error}") from error
    return maps
