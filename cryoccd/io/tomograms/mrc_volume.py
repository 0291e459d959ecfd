"""Tomograms in MRC files, memory-mapped."""

from pathlib import Path

import mrcfile
import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.io.tomograms.voxels import Voxels

_ROUNDING = 0.01


def open_mrc_volume(path: Path) -> tuple[Voxels, float]:
    """An MRC volume and the voxel size in angstrom that its header tells.

    Raises:
        CryoccdError: missing, truncated, no MRC, complex, no volume, or voxels that are no cubes.
    """
    read_mrc_shape(path)  # the size of the file, before anything is mapped
    try:
        file = mrcfile.mmap(path, mode="r", permissive=False)
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not a valid MRC file ({reason}); write it again") from error
    edges_A = [float(file.voxel_size[axis]) for axis in "xyz"]
    if not np.allclose(edges_A, edges_A[0], rtol=_ROUNDING, atol=0):
        listed = " x ".join(f"{edge:g}" for edge in edges_A)
        raise CryoccdError(f"{path}: voxels of {listed} A, expected cubes; resample the volume")
    return Voxels(path, file.data), edges_A[0]
