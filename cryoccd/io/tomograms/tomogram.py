"""One tomogram on disk: what its header says, and the way to its voxels."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms.mrc_volume import open_mrc_volume
from cryoccd.io.tomograms.voxels import Triple, Voxels
from cryoccd.io.tomograms.zarr_volume import open_zarr_volume

TOMOGRAM_SUFFIXES = (".mrc", ".rec", ".zarr")
"""Suffixes in lower case; .rec is the MRC of IMOD."""

VOXEL_TOLERANCE = 0.01
"""Voxel sizes that differ by less are the same: 10.00 and 10.012 A of one data set."""


@dataclass(frozen=True)
class Tomogram:
    """A tomogram on disk.

    Args:
        name: what particles call it.
        path: MRC file or OME-Zarr folder.
        shape: voxels along z, y, x.
        voxel_size_A: edge of a voxel.
    """

    name: str
    path: Path
    shape: Triple
    voxel_size_A: float

    def open(self) -> Voxels:
        """Its voxels; each process opens its own.

        Raises:
            CryoccdError: the file is no longer what it was.
        """
        voxels, _ = open_volume(self.path)
        if voxels.shape != self.shape:
            raise CryoccdError(f"{self.path}: shape {voxels.shape}, but {self.shape} when listed")
        return voxels


def open_volume(path: Path) -> tuple[Voxels, float]:
    """Voxels and voxel size in angstrom as the file tells it; 0 where it tells none.

    Raises:
        CryoccdError: another kind of file, or one that cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in TOMOGRAM_SUFFIXES:
        raise CryoccdError(f"{path}: unknown kind, expected one of {', '.join(TOMOGRAM_SUFFIXES)}")
    return open_zarr_volume(path) if suffix == ".zarr" else open_mrc_volume(path)


def find_tomogram(name: str, path: Path, voxel_size_A: float | None = None) -> Tomogram:
    """A tomogram with its voxel size by the file, or as given.

    Many programs write 1 A where they know no voxel size, so 0 and 1 both count as untold: the
    size must then be given. A size that both tell must be the same within 1 %.

    Args:
        name: what particles call it.
        path: MRC file or OME-Zarr folder.
        voxel_size_A: from elsewhere, such as a table or the user.

    Raises:
        CryoccdError: no voxel size, two of them, or a file that cannot be read.
    """
    voxels, told_A = open_volume(path)
    untold = told_A in (0.0, 1.0)
    if not untold and not (isfinite(told_A) and told_A > 0):
        raise CryoccdError(f"{path}: voxel size {told_A:g} A, expected above 0; mend the header")
    if voxel_size_A is None:
        if untold:
            raise CryoccdError(
                f"{path}: voxel size {told_A:g} in the header, so not known; give voxel_size_A"
            )
        return Tomogram(name, path, voxels.shape, told_A)
    if not (isfinite(voxel_size_A) and voxel_size_A > 0):
        raise CryoccdError(f"{path}: voxel_size_A = {voxel_size_A:g}, expected above 0")
    if not untold and not same_size(told_A, voxel_size_A):
        raise CryoccdError(
            f"{path}: {told_A:g} A a voxel in the file, but {voxel_size_A:g} A is given; mend one"
        )
    return Tomogram(name, path, voxels.shape, voxel_size_A if untold else told_A)


def same_size(one_A: float, other_A: float) -> bool:
    """Whether two voxel sizes agree within 1 %."""
    return abs(one_A - other_A) <= VOXEL_TOLERANCE * max(one_A, other_A)
