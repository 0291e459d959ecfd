"""A scene cut into slabs along the beam, for the waves.

For the phase object a particle lies in one slab as a whole. For multislice its map, finer by two in
Fourier space, is turned into the view by trilinear interpolation, and each of its planes goes to
the slab of its height.
"""

from collections.abc import Iterator, Mapping
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.geometry import euler_to_matrix
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import Stamp, species_key
from cryoccd.imaging.waves import Slab
from cryoccd.records import Particles, Scene

_FINER = 2


def whole_slabs(
    stamps: list[Stamp], z_A: NDArray[np.float64], canvas: "Canvas", thickness_A: float
) -> Iterator[Slab]:
    """Slabs of a thickness, each with the stamps whose height lies in it."""
    if not stamps:
        return
    low_A, high_A = float(z_A.min()), float(z_A.max())
    count = max(1, ceil((high_A - low_A) / thickness_A))
    step_A = (high_A - low_A) / count
    index = np.clip(((z_A - low_A) / max(step_A, 1e-9)).astype(int), 0, count - 1)
    for slab in range(count - 1, -1, -1):
        members = np.flatnonzero(index == slab)
        if len(members):
            # at the mean height of what it holds
            height_A = float(z_A[members].mean())
            yield height_A, canvas.drawn([stamps[k] for k in members])


def cut_slabs(
    scene: Scene,
    layers: tuple[list[Stamp], NDArray[np.float64]],
    projectors: Mapping[str, Projector],
    canvas: "Canvas",
    thickness_A: float,
) -> Iterator[Slab]:
    """Slabs of equal thickness from the source downwards, particles and debris cut by them.

    Args:
        scene: the particles and the debris.
        layers: what is not cut, the layers of bodies and their heights.
        projectors: maps of the species.
        canvas: the grid.
        thickness_A: of a slab.
    """
    cast = [(scene.particles, k) for k in range(len(scene.particles))]
    cast += [(part.members, k) for part in scene.debris for k in range(len(part.members))]
    planes = [planes_of(particles, k, scene, projectors) for particles, k in cast]
    stamps, z_A = layers
    heights_A = np.concatenate([z_A, *(heights for _, heights in planes)])
    if len(heights_A) == 0:
        return
    low_A, high_A = float(heights_A.min()), float(heights_A.max())
    count = max(1, ceil((high_A - low_A) / thickness_A))
    step_A = (high_A - low_A) / count

    def slab_of(z: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.clip(((z - low_A) / max(step_A, 1e-9)).astype(np.int64), 0, count - 1)

    for slab in range(count - 1, -1, -1):
        here = [stamps[k] for k in np.flatnonzero(slab_of(z_A) == slab)]
        for stack, heights in planes:
            chosen = np.flatnonzero(slab_of(heights) == slab)
            if len(chosen):
                total = stack.potential[torch.from_numpy(chosen)].sum(0)
                here.append(Stamp(total, stack.top, stack.left))
        yield low_A + (slab + 0.5) * step_A, canvas.drawn(here)


def planes_of(
    particles: Particles, index: int, scene: Scene, projectors: Mapping[str, Projector]
) -> tuple[Stamp, NDArray[np.float64]]:
    """Planes (n, n, n) of one particle's turned map in volt angstrom, and their heights."""
    key = species_key(
        scene.species_names[particles.species[index]], int(particles.conformation[index])
    )
    projector = projectors[key]
    box, voxel_A = projector.box_px, projector.voxel_size_A
    x_A, y_A, z_A = particles.positions_A[index]
    at_px = np.array([x_A, y_A]) / scene.pixel_size_A
    centre_px = np.floor(at_px + 0.5)
    turn = euler_to_matrix(torch.from_numpy(particles.eulers_deg[index]))
    axis = torch.arange(box, dtype=torch.float64) - box // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    shift = at_px - centre_px
    seen = torch.stack([x - shift[0], y - shift[1], z], dim=-1)
    own = seen @ turn  # a point p of the view is A^T p in the map
    fine = _finer(projector.volume())
    last = fine.shape[0] - 1
    grid = (2 * (_FINER * (own + box // 2)) / last - 1).float()
    turned = torch.nn.functional.grid_sample(
        fine[None, None], grid[None].to(fine.device), align_corners=True
    )[0, 0]
    left, top = (centre_px - box // 2).astype(int)
    heights_A = z_A + (np.arange(box) - box // 2) * voxel_A
    return Stamp(turned * voxel_A, int(top), int(left)), heights_A


def _finer(volume: Tensor) -> Tensor:
    """The (n, n, n) map on a grid finer by _FINER; voxel k becomes _FINER k."""
    box = volume.shape[0]
    spectrum = torch.fft.fftshift(torch.fft.fftn(volume))
    before = _FINER * box // 2 - box // 2
    after = (_FINER - 1) * box - before
    padded = torch.nn.functional.pad(spectrum, [before, after] * 3)
    fine: Tensor = torch.fft.ifftn(torch.fft.ifftshift(padded)).real
    return fine.contiguous() * _FINER**3


class Canvas:
    """The padded grid on which slabs are drawn.

    Args:
        shape_px: height and width with padding.
        offset_px: row and column on it of the field's pixel [0, 0].
        device: where it lies.
    """

    def __init__(
        self, shape_px: tuple[int, int], offset_px: int, device: torch.device | str
    ) -> None:
        self.shape_px, self._offset_px, self._device = shape_px, offset_px, device

    def drawn(self, stamps: list[Stamp]) -> Tensor:
        """The sum of stamps, each in its window."""
        image = torch.zeros(self.shape_px, device=self._device)
        for stamp in stamps:
            image[stamp.window(self._offset_px)] += stamp.potential
        return image
