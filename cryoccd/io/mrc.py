"""MRC files: strict reading of untrusted ones, exact writing of ours."""

import warnings
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path

_BYTES_PER_VALUE = {0: 1, 1: 2, 2: 4, 4: 8, 6: 2, 12: 2}


def read_mrc(path: Path, ndim: int | None = None) -> tuple[NDArray[np.float32], float]:
    """Values as float32 and the voxel size in angstrom (0 where the header has none).

    Raises:
        CryoccdError: missing, truncated, of a size that the header does not tell, complex, not
            finite, or not of `ndim` dimensions (a stack of one section counts as an image).
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    _check_size(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            with mrcfile.open(path, permissive=False) as file:
                values = np.asarray(file.data)
                voxel_size_A = float(file.voxel_size.x)
        except (ValueError, OSError, RuntimeWarning) as error:
            raise CryoccdError(
                f"{path}: not a valid MRC file ({_one_line(error)}); write it again"
            ) from error
    if np.iscomplexobj(values):
        raise CryoccdError(f"{path}: complex MRC (mode 4), expected real values")
    if ndim == 2 and values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if ndim is not None and values.ndim != ndim:
        raise CryoccdError(f"{path}: {values.ndim} dimensions {values.shape}, expected {ndim}")
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise CryoccdError(f"{path}: holds NaN or infinity; remove or repair it")
    return values, voxel_size_A


def read_mrc_shape(path: Path) -> tuple[int, ...]:
    """(nz, ny, nx) of a file, by its header; the values are not read.

    Raises:
        CryoccdError: missing, not MRC, or of a size that the header does not tell.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    return _check_size(path)


def write_mrc(
    path: Path,
    values: NDArray[Any],
    voxel_size_A: float,
    label: str,
) -> None:
    """Write an image or a volume whole or not at all, with its voxel size, one label, no time."""
    _write(path, values, voxel_size_A, label, stack=False)


def write_stack(path: Path, values: NDArray[Any], pixel_size_A: float, label: str) -> None:
    """Write (n, h, w) images of one pixel size as a stack, whole or not at all."""
    _write(path, values, pixel_size_A, label, stack=True)


def _write(
    path: Path,
    values: NDArray[Any],
    voxel_size_A: float,
    label: str,
    stack: bool,
) -> None:
    if not voxel_size_A > 0:
        raise CryoccdError(f"{path}: pixel size {voxel_size_A}, expected angstrom above 0")
    with atomic_path(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
        file.set_data(values)
        if stack:
            file.set_image_stack()
        file.voxel_size = voxel_size_A
        file.header.label[:] = b""  # mrcfile puts the clock time here
        file.header.nlabl = 1
        file.header.label[0] = label[:80].encode("ascii", "replace")


def _check_size(path: Path) -> tuple[int, ...]:
    """Compare the header's claim with the file before anything is allocated; (nz, ny, nx)."""
    size = path.stat().st_size
    if size < 1024:
        raise CryoccdError(f"{path}: {size} bytes, an MRC header alone has 1024; write it again")
    with path.open("rb") as stream:
        header = stream.read(1024)
    for order in ("<", ">"):
        nx, ny, nz, mode = (int(v) for v in np.frombuffer(header, f"{order}i4", 4))
        extra = int(np.frombuffer(header, f"{order}i4", 1, 92)[0])
        if mode in _BYTES_PER_VALUE and min(nx, ny, nz) > 0 and extra >= 0:
            break
    else:
        raise CryoccdError(f"{path}: not an MRC file (unknown mode or sizes in the header)")
    claimed = 1024 + extra + nx * ny * nz * _BYTES_PER_VALUE[mode]
    if claimed != size:
        raise CryoccdError(
            f"{path}: the header claims {nx} x {ny} x {nz} values = {claimed} bytes, "
            f"the file has {size}; copy it again"
        )
    return nz, ny, nx


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
