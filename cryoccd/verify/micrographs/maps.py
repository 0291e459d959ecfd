"""The maps that the labels of a set refer to."""

from pathlib import Path

import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import species_key
from cryoccd.io.dataset import Dataset
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


def check_named(folder: Path, maps: dict[str, Projector], dataset: Dataset) -> None:
    """Refuse a folder of maps none of which is of a species of the set, where it has some.

    Raises:
        CryoccdError: no map has the name of a species.
    """
    kinds = [rows[["species", "conformation"]].drop_duplicates() for _, rows in dataset.walk()]
    keys = {species_key(*kind) for rows in kinds for kind in rows.itertuples(index=False)}
    if keys and not keys & set(maps):
        expected = ", ".join(f"{key}.mrc" for key in sorted(keys)[:3])
        raise CryoccdError(
            f"{folder}: no map has the name of a species of {dataset.root}, expected {expected}"
        )
