"""Poses of placed particles, and the density that a generator is told of."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.data.subtomograms.density import ClassDensity
from cryoccd.data.subtomograms.maps import read_maps
from cryoccd.data.subtomograms.table import ParticleTable
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.tomograms import TomogramSource
from cryoccd.io.tomograms.voxels import Triple
from cryoccd.scene.orientation.uniform import uniform_so3


class Posing:
    """Gives placed particles maps and poses.

    Args:
        source: tomograms with a map of each class.
        table: their particles, which tell how often each map of a class occurs.

    Raises:
        CryoccdError: a class without map.
    """

    def __init__(self, source: TomogramSource, table: ParticleTable) -> None:
        self._density = ClassDensity(read_maps(source, table.map_keys), source.voxel_size_A)
        self._keys = np.array(table.map_keys)
        self._labels = table.label

    def pose(
        self,
        labels: NDArray[np.int64],
        xyz_px: NDArray[np.float64],
        shape: Triple,
        rng: np.random.Generator,
    ) -> "Posed":
        """Maps as often as they occur, and poses uniform on SO(3).

        Args:
            labels: (n,) classes.
            xyz_px: (n, 3) places from the centre of voxel [0, 0, 0].
            shape: voxels of the tomogram along z, y, x.
            rng: source of the draws.
        """
        keys = [str(rng.choice(self._keys[self._labels == label])) for label in labels]
        return Posed(self._density, keys, xyz_px, uniform_so3(len(labels), rng), shape)


class Posed:
    """Placed particles in their poses.

    Args:
        density: draws them.
        keys: (n,) names of their maps.
        xyz_px: (n, 3) places.
        angles_deg: (n, 3) rot, tilt, psi.
        shape: voxels of the tomogram along z, y, x.
    """

    def __init__(
        self,
        density: ClassDensity,
        keys: list[str],
        xyz_px: NDArray[np.float64],
        angles_deg: NDArray[np.float64],
        shape: Triple,
    ) -> None:
        self.keys, self.angles_deg = keys, angles_deg
        self._density, self._xyz_px, self._shape = density, xyz_px, shape
        self._rotations = euler_to_matrix(torch.from_numpy(angles_deg)).numpy()

    def box(self, centre_px: NDArray[np.int64], side: int) -> Tensor:
        """(1, b, b, b) density of all particles in a box, 0 beyond the tomogram as in training."""
        corner = centre_px - side // 2
        block = self._density.draw(corner, (side,) * 3, self._xyz_px, self._rotations, self.keys)
        for axis, (first, size) in enumerate(zip(corner[::-1], self._shape, strict=True)):
            along = torch.arange(side) + int(first)
            outside = torch.nonzero((along < 0) | (along >= size)).flatten()
            block.index_fill_(axis, outside, 0.0)
        return block[None]
