"""Which voxels of a tomogram are background: away from the particles, and from what nobody picked.

Gold beads, contamination and edges of the carbon film are no background either, but no pick tells
them. They are what lies further from the median than _OUTLIER robust deviations, where noise hardly
goes; a bead of 50 deviations in a thousandth of the voxels would have most of the power.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from cryoccd.errors import CryoccdError

_OUTLIER = 6.0
_ABOUT_OUTLIERS = 4  # voxels
_SOFT = 2.0  # deviation in voxels of the Gaussian that softens the edges
_NORMAL = 1.4826  # deviation over median absolute deviation, of a normal distribution
_EVERY = 3  # voxels between those of which the median is taken
_LEAST_VOXELS = 1000
_LEAST_WEIGHT = 0.5
_MOST_CUBES = 100


@dataclass(frozen=True, eq=False)
class Background:
    """A part of a tomogram with its background at mean 0 and deviation 1.

    Args:
        values: (d, h, w) float32.
        weight: (d, h, w) float32 from 0 where something is to 1, without sharp edges.
        mean: of the background before.
        deviation: likewise.
    """

    values: NDArray[np.float32]
    weight: NDArray[np.float32]
    mean: float
    deviation: float

    def cubes(self, side: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Values and weights of cubes on a lattice of half their side, those with least in them.

        At most _MOST_CUBES, and none of less than half background: edges about what is masked
        spread power over all frequencies, however soft they are.
        """
        step = max(side // 2, 1)
        corners = product(*(range(0, n - side + 1, step) for n in self.values.shape))
        cuts = [tuple(slice(c, c + side) for c in corner) for corner in corners]
        free = np.array([float(self.weight[cut].mean()) for cut in cuts])
        for index in np.argsort(-free, kind="stable")[:_MOST_CUBES]:
            if free[index] > _LEAST_WEIGHT:
                yield self.values[cuts[index]], self.weight[cuts[index]]


def find_background(
    name: str,
    values: NDArray[np.float32],
    xyz_px: NDArray[np.float64],
    radii_px: NDArray[np.float64],
) -> Background:
    """The background of a part of a tomogram.

    Args:
        name: of the tomogram, for messages.
        values: (d, h, w).
        xyz_px: (n, 3) particles, from the centre of voxel [0, 0, 0] of the part.
        radii_px: (n,) radius about each that is no background.

    Raises:
        CryoccdError: hardly any background, or one that does not vary.
    """
    free = _away(values.shape, xyz_px, radii_px)
    _check(name, free)
    sparse = (slice(None, None, _EVERY),) * 3
    sample = values[sparse][free[sparse]].astype(np.float64)
    median = float(np.median(sample)) if len(sample) else 0.0
    robust = _NORMAL * float(np.median(np.abs(sample - median))) if len(sample) else 0.0
    strange = free & (np.abs(values - median) > _OUTLIER * robust)
    if robust > 0 and strange.any():
        free &= ~maximum_filter(strange, 2 * _ABOUT_OUTLIERS + 1)
        _check(name, free)
    known = values[free].astype(np.float64)
    mean, deviation = float(known.mean()), float(known.std())
    if not deviation > 1e-6 * abs(mean):
        raise CryoccdError(f"background: {name} is constant between its particles")
    normal = ((values - mean) / deviation).astype(np.float32)
    return Background(normal, _softened(free), mean, deviation)


def _away(
    shape: tuple[int, ...], xyz_px: NDArray[np.float64], radii_px: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(d, h, w) true outside balls."""
    free = np.ones(shape, bool)
    for xyz, radius in zip(xyz_px, radii_px, strict=True):
        spans = [
            np.arange(max(ceil(c - radius), 0), min(floor(c + radius) + 1, side))
            for c, side in zip(xyz[::-1], shape, strict=True)
        ]
        if all(len(span) for span in spans):
            grid = np.ix_(*spans)
            squares = [(a - c) ** 2 for a, c in zip(grid, xyz[::-1], strict=True)]
            free[grid] &= squares[0] + squares[1] + squares[2] > radius**2
    return free


def _softened(free: NDArray[np.bool_]) -> NDArray[np.float32]:
    """1 well inside, 0 at the edge and beyond, smooth between."""
    rise = np.clip(2 * gaussian_filter(free.astype(np.float32), _SOFT) - 1, 0, 1)
    # corners of a mask stand out of what is softened: they are nearly 0
    return np.where(free, rise * rise * (3 - 2 * rise), np.float32(0))


def _check(name: str, free: NDArray[np.bool_]) -> None:
    count = int(free.sum())
    if count < _LEAST_VOXELS:
        raise CryoccdError(
            f"background: {count} voxels of {name} lie between its particles, expected "
            f"{_LEAST_VOXELS} or more; take other tomograms, or smaller diameters"
        )
