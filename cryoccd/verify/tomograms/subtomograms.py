"""Cubes cut out around particles of a tomogram, and what their map looks like there.

Both are brought to one grid, as coarse as the finest detail that is compared.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.geometry import euler_to_matrix
from cryoccd.records import Volume
from cryoccd.verify.tomograms.cubes import distance, filtered, resampled

Points = NDArray[np.float64]

SEARCH_PX = 5
"""Voxels, either way, in which particles are looked for about their labels."""

_FINEST_A = 20.0
_DETAILS = 16  # across a large particle, finer ones tell nothing more
_VOXELS = 2.5  # of a tomogram, in its finest detail
_FINE = 5  # samples a detail of the map, which is read between them linearly
_REACH = 0.05  # of the highest value


@dataclass(frozen=True)
class Frame:
    """The cube in which particles of one map are compared with it.

    Args:
        cut_px: its edge in voxels of the tomogram, even.
        edge_A: the same in angstrom.
        side: voxels of its own along the edge, even.
        radius_A: what lies further from the particle does not count.
        finest_A: finest detail that counts.
        coarsest_A: coarsest one.
    """

    cut_px: int
    edge_A: float
    side: int
    radius_A: float
    finest_A: float
    coarsest_A: float

    @classmethod
    def around(cls, volume: Volume, voxel_size_A: float) -> "Frame":
        """For the particles of a map in tomograms of a voxel size."""
        values = volume.values
        box, step_A = volume.box_px, volume.voxel_size_A
        far_px = distance(box)[values.abs() > _REACH * values.abs().max()].max()
        reach_A = max(float(far_px) * step_A, 2 * step_A)
        finest_A = max(_FINEST_A, 2 * reach_A / _DETAILS, _VOXELS * voxel_size_A)
        radius_A = reach_A + finest_A
        cut_px = 2 * ceil(radius_A / voxel_size_A + SEARCH_PX)
        edge_A = cut_px * voxel_size_A
        side = min(cut_px, 2 * ceil(1.25 * edge_A / finest_A))
        return cls(cut_px, edge_A, side, radius_A, finest_A, 2 * reach_A)

    @property
    def radius_px(self) -> float:
        """The radius in voxels of the tomogram."""
        return self.radius_A * self.cut_px / self.edge_A

    @property
    def step_A(self) -> float:
        """Edge of a voxel of its own."""
        return self.edge_A / self.side

    def frequencies(self) -> Tensor:
        """(side, side, side // 2 + 1, 3) k x, y, z in 1/A in the layout of torch.fft.rfftn."""
        k = torch.fft.fftfreq(self.side, self.step_A, dtype=torch.float64)
        half = torch.fft.rfftfreq(self.side, self.step_A, dtype=torch.float64)
        z, y, x = torch.meshgrid(k, k, half, indexing="ij")
        return torch.stack([x, y, z], dim=-1)

    def band(self) -> Tensor:
        """(side, side, side // 2 + 1) how much each frequency counts; the mean never does."""
        k = self.frequencies().norm(dim=-1)
        return torch.exp(-((k * self.finest_A) ** 4)) - torch.exp(-((k * self.coarsest_A) ** 4))

    def mask(self) -> Tensor:
        """(side, side, side) 1 about the particle, falling to 0 over the finest detail."""
        beyond = (self.radius_A - distance(self.side) * self.step_A) / self.finest_A
        return (1 - torch.cos(torch.pi * beyond.clamp(0, 1))) / 2

    def fine(self, volume: Volume) -> Volume:
        """A map without what is finer than the grid, on voxels between which it is linear."""
        edge_A = volume.box_px * volume.voxel_size_A
        coarse = resampled(volume.values, 2 * ceil(edge_A / self.step_A / 2))
        side = 2 * ceil(_FINE * edge_A / self.finest_A / 2)
        return Volume(resampled(coarse, side), edge_A / side)

    def turned(self, fine: Volume, eulers_deg: Tensor) -> Tensor:
        """(n, side, side, side) of a map turned by (n, 3) angles, origin at side // 2."""
        axis = (torch.arange(self.side) - self.side // 2) * (self.step_A / fine.voxel_size_A)
        z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
        matrices = euler_to_matrix(eulers_deg.double()).float()
        # the point p of the view is the point A^T p of the map: as rows, p A
        points = torch.stack([x, y, z], dim=-1).flatten(0, 2) @ matrices
        grid = 2 * (points + fine.box_px // 2) / (fine.box_px - 1) - 1
        grid = grid.reshape(-1, *(self.side,) * 3, 3)
        values = fine.values.expand(len(grid), 1, -1, -1, -1)
        sampled: Tensor = torch.nn.functional.grid_sample(values, grid, align_corners=True)
        return sampled[:, 0]


def cut_cubes(
    tomogram: NDArray[np.float32], points_px: Points, frame: Frame
) -> tuple[Tensor, NDArray[np.bool_]]:
    """Cubes of a tomogram, bright on dark, with the particles in their middle.

    Args:
        tomogram: (d, h, w).
        points_px: (n, 3) x, y, z of the particles from the centre of voxel [0, 0, 0].
        frame: their cube.

    Returns:
        (n, side, side, side) cubes of mean 0, and (n,) whether what counts lies in the tomogram.
    """
    half, size = frame.cut_px // 2, np.array(tomogram.shape[::-1])
    padded = np.pad(tomogram, half + 1)
    high_px = size - 1 - frame.radius_px
    inside = ((points_px >= frame.radius_px) & (points_px <= high_px)).all(axis=1)
    nearest = np.floor(points_px + 0.5).astype(int)
    cubes = torch.zeros(len(points_px), *(frame.side,) * 3)
    for index in np.flatnonzero(inside):
        x, y, z = nearest[index] + 1
        cut = -padded[z : z + 2 * half, y : y + 2 * half, x : x + 2 * half]
        cubes[index] = resampled(torch.from_numpy(cut - cut.mean()), frame.side)
    rest_A = torch.from_numpy((points_px - nearest) * (frame.edge_A / frame.cut_px))
    ramp = torch.exp(2j * torch.pi * torch.einsum("zyxc,nc->nzyx", frame.frequencies(), rest_A))
    return filtered(cubes, ramp.to(torch.complex64)), np.asarray(inside)
