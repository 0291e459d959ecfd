"""A volume on disk of which blocks are read: memory-mapped MRC, or the chunks of a Zarr array."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError

Triple = tuple[int, int, int]
"""z, y, x."""

_SLAB = 64


class Voxels:
    """An open volume; reads what is asked for and no more.

    Args:
        path: for messages.
        values: (d, h, w) anything that NumPy's basic slices index, axes z, y, x.

    Raises:
        CryoccdError: not three-dimensional, or of another type than integer or float.
    """

    def __init__(self, path: Path, values: Any) -> None:
        shape, kind = tuple(values.shape), np.dtype(values.dtype).kind
        if len(shape) != 3 or 0 in shape or kind not in "uif":
            raise CryoccdError(
                f"{path}: holds {values.dtype} of shape {shape}, expected real values (z, y, x)"
            )
        self.path, self._values = path, values
        self.shape: Triple = (int(shape[0]), int(shape[1]), int(shape[2]))

    def block(self, corner: Triple, sides: Triple) -> NDArray[np.float32]:
        """Values float32 from voxel `corner` on, 0 beyond the volume.

        Raises:
            CryoccdError: what is there cannot be read, as a truncated chunk, or is not finite.
        """
        ends = [c + s for c, s in zip(corner, sides, strict=True)]
        low = [min(max(c, 0), n) for c, n in zip(corner, self.shape, strict=True)]
        high = [min(max(e, 0), n) for e, n in zip(ends, self.shape, strict=True)]
        block = np.zeros(sides, np.float32)
        if any(a >= b for a, b in zip(low, high, strict=True)):
            return block
        where = ", ".join(f"{a}:{b}" for a, b in zip(low, high, strict=True))
        try:
            values = np.asarray(self._values[tuple(map(slice, low, high))])
        except Exception as error:  # a cut chunk raises whatever its decoder meets first
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CryoccdError(
                f"{self.path}: voxels [{where}] (z, y, x) cannot be read ({reason}); a chunk may "
                "be truncated, copy the volume again"
            ) from error
        with np.errstate(over="ignore"):  # too large for float32 becomes infinity, refused next
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise CryoccdError(
                f"{self.path}: voxels [{where}] (z, y, x) hold NaN or infinity; repair the volume"
            )
        inner = (slice(a - c, b - c) for a, b, c in zip(low, high, corner, strict=True))
        block[tuple(inner)] = values
        return block

    def slabs(self) -> Iterator[NDArray[np.float32]]:
        """The whole volume in slabs of slices, one in memory at a time.

        Raises:
            CryoccdError: as `block`.
        """
        depth, height, width = self.shape
        for z in range(0, depth, _SLAB):
            yield self.block((z, 0, 0), (min(_SLAB, depth - z), height, width))
