"""A tomogram as the detector sees it: at its own mean 0 and deviation 1, gold beads cut off.

Beads and the reconstruction's streaks about them may double the deviation of a tomogram, and how
many there are differs from one to the next; a generated one may have none. Values are cut at
_BEADS robust deviations (scaled MAD) from the median first, which is beyond dense particles.
"""

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import Tomogram
from cryoccd.io.tomograms.voxels import Triple

_BEADS = 20.0
_SCALED_MAD = 1.4826


class ScaledTomogram:
    """Blocks of a tomogram; beyond it they are 0, the mean.

    Args:
        tomogram: on disk; every second slice, row and column is read for the scale.

    Raises:
        CryoccdError: it cannot be read, or is constant.
    """

    def __init__(self, tomogram: Tomogram) -> None:
        self.tomogram, self.shape = tomogram, tomogram.shape
        self._voxels = tomogram.open()
        some = np.concatenate([slab[::2, ::2, ::2].ravel() for slab in self._voxels.slabs()])
        median = float(np.median(some))
        reach = _BEADS * _SCALED_MAD * float(np.median(np.abs(some - median)))
        self._low, self._high = median - reach, median + reach
        some = some.clip(self._low, self._high)
        self._mean, self._deviation = some.mean(dtype=np.float64), some.std(dtype=np.float64)
        if not self._deviation > 0:
            raise CryoccdError(f"{tomogram.path}: constant, expected values that vary")

    def block(self, corner: Triple, sides: Triple) -> NDArray[np.float32]:
        """(z, y, x) float32 values from voxel `corner` on.

        Raises:
            CryoccdError: what is there cannot be read.
        """
        values = self._voxels.block(corner, sides).clip(self._low, self._high)
        scaled: NDArray[np.float32] = ((values - self._mean) / self._deviation).astype(np.float32)
        for axis, (first, side, count) in enumerate(zip(corner, sides, self.shape, strict=True)):
            along = first + np.arange(side)
            outside = (along < 0) | (along >= count)
            np.moveaxis(scaled, axis, 0)[outside] = 0.0
        return scaled
