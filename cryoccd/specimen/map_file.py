"""Density maps as the EMDB gives them: MRC or CCP4, plain or gzipped, axes in any order.

The columns, rows and sections of a file run along the axes that its header names (MAPC, MAPR, MAPS:
1 is x). ORIGIN and NSTART place the map in the frame of a fitted model; here a map stands about its
own centre, so they change nothing.
"""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import read_mrc

_CHUNK = 1 << 20
_LONGEST_VALUE = 8  # bytes


def read_density(path: Path) -> tuple[NDArray[np.float32], float]:
    """Values with axes (z, y, x), and the voxel size in angstrom.

    Args:
        path: .mrc or .map file, plain or .gz.

    Raises:
        CryoccdError: not a readable volume, voxels that are no cubes or have no size, or axes that
            are no permutation of x, y and z.
    """
    with _plain(path) as plain:
        try:
            values, _ = read_mrc(plain, ndim=3)
        except CryoccdError as error:
            raise CryoccdError(str(error).replace(str(plain), str(path))) from error
        header = _header(plain)
    size = [float(header.cella[axis] / header[count]) for axis, count in _CELL]
    if not min(size) > 0 or not np.isfinite(size).all():
        raise CryoccdError(
            f"{path}: voxel size {min(size):g} in the header, expected angstrom above 0; "
            "write it there (mrcfile: file.voxel_size = 1.5)"
        )
    angles = [float(header.cellb[name]) for name in ("alpha", "beta", "gamma")]
    if max(size) > 1.001 * min(size) or any(abs(angle - 90) > 0.1 for angle in angles):
        sides = " x ".join(f"{side:g}" for side in size)
        raise CryoccdError(
            f"{path}: voxels of {sides} A with angles {', '.join(f'{a:g}' for a in angles)}, "
            "expected cubes; resample it (relion_image_handler, ChimeraX)"
        )
    order = [int(header[name]) for name in ("maps", "mapr", "mapc")]
    if order == [0, 0, 0]:  # some programs leave the three words empty
        order = [3, 2, 1]
    if sorted(order) != [1, 2, 3]:
        raise CryoccdError(
            f"{path}: axes MAPC, MAPR, MAPS = {order[::-1]} in the header, expected 1, 2 and 3 in "
            "some order; correct the header"
        )
    turned = values.transpose([order.index(axis) for axis in (3, 2, 1)])
    return np.ascontiguousarray(turned), size[0]


_CELL = (("x", "mx"), ("y", "my"), ("z", "mz"))


def _header(path: Path) -> np.recarray:
    with mrcfile.open(path, header_only=True, permissive=False) as file:
        header: np.recarray = file.header
        return header.copy()


@contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """The file itself, or a temporary unpacked copy no longer than its header claims."""
    if path.suffix.lower() != ".gz" or not path.is_file():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.stem
        try:
            header = _header(path)
            sides = [int(header[name]) for name in ("nx", "ny", "nz", "nsymbt")]
            left = 1024 + max(sides[3], 0) + _LONGEST_VALUE * abs(sides[0] * sides[1] * sides[2])
            with gzip.open(path) as packed, plain.open("wb") as target:
                while left > 0 and (chunk := packed.read(min(_CHUNK, left))):
                    left -= target.write(chunk)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            reason = " ".join(str(error).split())
            raise CryoccdError(
                f"{path}: not a readable .gz map ({reason}); copy it again"
            ) from error
        yield plain
