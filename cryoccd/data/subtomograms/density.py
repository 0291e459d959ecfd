"""The noise-free density of a part of a tomogram, from poses and the maps of the classes.

The density at a voxel r is the sum over particles i at p_i of map_i(A_i^T (r - p_i)): every map
whose particle reaches into the box counts, not that of the middle one alone. Maps are brought to
half a voxel of the tomogram in Fourier space and read between their voxels linearly. As maps
from files are in any unit, the highest value of each counts as 1.
"""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.data.subtomograms.drawn import Drawn, Shelf
from cryoccd.errors import CryoccdError
from cryoccd.records import Volume
from cryoccd.verify.tomograms.cubes import distance, resampled

_FINE = 2  # voxels of a map in one of the tomogram
_REACH = 0.01  # of a map's highest value; what is weaker further out is left away


class ClassDensity:
    """Draws the maps of particles on the grid of a tomogram.

    Args:
        maps: by name, of any voxel size; the origin is voxel n // 2.
        voxel_size_A: of the tomogram.

    Raises:
        CryoccdError: no maps, or one without any value.
    """

    def __init__(self, maps: Mapping[str, Volume], voxel_size_A: float) -> None:
        if not maps:
            raise CryoccdError("density: no maps, expected one of each class")
        self.voxel_size_A = voxel_size_A
        self._maps = {name: _Map(name, volume, voxel_size_A) for name, volume in maps.items()}
        self._shelf = Shelf()

    @property
    def reach_px(self) -> float:
        """Voxels of the tomogram from a particle to where the largest map ends."""
        return max(own.reach_px for own in self._maps.values())

    @property
    def names(self) -> list[str]:
        """Names of the maps."""
        return list(self._maps)

    def draw(
        self,
        corner_px: NDArray[np.int64],
        sides_px: Sequence[int],
        xyz_px: NDArray[np.float64],
        rotations: NDArray[np.float64],
        names: Sequence[str],
    ) -> Tensor:
        """The density of a block of voxels.

        Args:
            corner_px: (3,) its first voxel x, y, z; may lie outside the tomogram.
            sides_px: voxels of it along z, y, x.
            xyz_px: (n, 3) particles in voxels from the centre of voxel [0, 0, 0]; those that do
                not reach into the block cost nothing, those drawn before next to nothing.
            rotations: (n, 3, 3) matrices from the map to the tomogram.
            names: (n,) their maps.

        Returns:
            sides_px float32.

        Raises:
            CryoccdError: a particle without map, or without pose.
        """
        block = torch.zeros(tuple(sides_px))
        corner, sides = np.asarray(corner_px), np.array(sides_px[::-1])
        unknown = sorted(set(names) - set(self._maps))
        if unknown:
            raise CryoccdError(f"density: no map of {unknown[0]}, known are {self.names}")
        reach_px = np.array([self._maps[name].reach_px for name in names])[:, None]
        low = np.maximum(np.ceil(xyz_px - reach_px).astype(int) - corner, 0)
        high = np.minimum(np.floor(xyz_px + reach_px).astype(int) + 1 - corner, sides)
        for index in map(int, np.flatnonzero((low < high).all(axis=1))):
            if not np.isfinite(rotations[index]).all():
                raise CryoccdError(f"density: a particle of {names[index]} has no pose")
            drawn = self._whole(names[index], xyz_px[index], rotations[index])
            (left, top, front), (right, bottom, back) = low[index], high[index]
            shift = corner - drawn.first_px
            x, y, z = map(slice, low[index] + shift, high[index] + shift)
            block[front:back, top:bottom, left:right] += drawn.values[z, y, x]
        return block

    def _whole(
        self, name: str, xyz_px: NDArray[np.float64], rotation: NDArray[np.float64]
    ) -> Drawn:
        known = self._shelf.take(name, xyz_px, rotation)
        if known is not None:
            return known
        reach_px = self._maps[name].reach_px
        first, last = np.ceil(xyz_px - reach_px), np.floor(xyz_px + reach_px)
        x, y, z = (
            torch.arange(start - middle, end - middle + 0.5, dtype=torch.float64).float()
            for start, end, middle in zip(first, last, xyz_px, strict=True)
        )
        drawn = Drawn(first.astype(np.int64), self._maps[name].seen(x, y, z, rotation))
        self._shelf.put(name, xyz_px, rotation, drawn)
        return drawn


class _Map:
    """One map without what is finer than the tomogram's voxels, cut to what has a value."""

    def __init__(self, name: str, volume: Volume, voxel_size_A: float) -> None:
        edge_A = volume.box_px * volume.voxel_size_A
        side = 2 * ceil(edge_A / voxel_size_A / 2)
        fine = resampled(resampled(volume.values, side), _FINE * side)
        highest = float(fine.max())
        if not highest > 0:
            raise CryoccdError(f"density: the map of {name} has no value above 0")
        fine = fine / highest
        self._scale = voxel_size_A * _FINE * side / edge_A  # voxels of the map in a voxel
        far = float(distance(_FINE * side)[fine.abs() > _REACH].max()) + 1
        middle = _FINE * side // 2
        radius = min(ceil(far), middle - 1)
        kept = slice(middle - radius, middle + radius + 1)
        self.values = fine[kept, kept, kept].contiguous()
        self.reach_px = far / self._scale

    def seen(self, x: Tensor, y: Tensor, z: Tensor, rotation: NDArray[np.float64]) -> Tensor:
        """(z, y, x) the turned map at points that count in voxels from the particle."""
        matrix = torch.from_numpy(rotation).float() * self._scale
        # the point r of the view is the point A^T r of the map: as rows, r A
        points = (
            z[:, None, None, None] * matrix[2]
            + y[:, None, None] * matrix[1]
            + x[:, None] * matrix[0]
        )
        grid = points / ((self.values.shape[0] - 1) / 2)
        sampled: Tensor = torch.nn.functional.grid_sample(
            self.values[None, None], grid[None], align_corners=True
        )
        return sampled[0, 0]
