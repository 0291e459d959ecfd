"""Boxes of a class aligned to its map by what is coarse in them, the missing wedge left out.

With F the transform of a box, M that of the map, A the matrix that turns the map into the box, s
the shift of the particle in it, and N(k) the power of the boxes in shells, the score is the
constrained cross-correlation over the frequencies that the tilt series saw (Foerster et al. 2008,
J Struct Biol 161, 276), as a matched filter,

    sum Re[F(k) exp(2 pi i k s) M*(A^T k)] / N  /  (sum |M(A^T k)|^2 / N)^(1/2) .

Every rotation of a grid is tried with 27 shifts on what is half as coarse again, and the best is
refined by small turns and shifts of ever smaller steps. The boxes are cut to the covered band
before they are masked about the particle, so that nothing finer has a say.
"""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from cryoccd.metrics.pose.resolution import sphere_mask
from cryoccd.metrics.volume.rotation_grid import rotation_grid, small_turns, steps_each_way
from cryoccd.metrics.volume.transform import Transform, covered, sphere_of
from cryoccd.records import Volume

ALIGNED_TO_A = 40.0
"""Finest detail that has a say, by default."""

_GRID_DEG = 15.0
_COARSER = 1.5  # times the finest detail, while turns are a grid apart
_SHIFT_PX = 1.5
_REFINEMENT = ((7.0, 1.0), (7.0, 0.5), (3.5, 0.5), (1.8, 0.25), (1.8, 0.25))
"""Degrees and voxels of each round."""

_MATTER = 0.1  # of the map's largest value
_EDGE_PX = 3.0
_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Poses of boxes.

    Args:
        rotations: (n, 3, 3) float64 matrices A from the map to the box.
        shifts_px: (n, 3) float64 x, y, z of the particle from voxel b // 2.
        scores: (n,) float32.
    """

    rotations: Tensor
    shifts_px: Tensor
    scores: Tensor


def align(
    volumes: Tensor,
    reference: Volume,
    voxel_size_A: float,
    tilt_limit_deg: float = 60.0,
    dark: bool = True,
    aligned_to_A: float = ALIGNED_TO_A,
) -> Alignment:
    """Poses of the particle in the middle of boxes.

    Args:
        volumes: (n, b, b, b) boxes of one class.
        reference: its map, matter positive.
        voxel_size_A: of the boxes.
        tilt_limit_deg: highest tilt, about y.
        dark: whether matter is dark in the boxes.
        aligned_to_A: the finest detail that has a say.
    """
    search = _Search(volumes, reference, voxel_size_A, tilt_limit_deg, dark, aligned_to_A)
    rotations, shifts_px, scores = search.coarse()
    for step_deg, step_px in _REFINEMENT:
        rotations, scores = search.turned(rotations, shifts_px, small_turns(step_deg))
        shifts_px, scores = search.shifted(rotations, shifts_px, steps_each_way(step_px))
    return Alignment(rotations, shifts_px, scores)


class _Search:
    """Scores of one set of boxes, whitened by their own power."""

    def __init__(
        self,
        volumes: Tensor,
        reference: Volume,
        voxel_size_A: float,
        tilt_limit_deg: float,
        dark: bool,
        aligned_to_A: float,
    ) -> None:
        side = int(volumes.shape[-1])
        cycles = sphere_of(side, voxel_size_A, aligned_to_A)
        cycles = cycles[covered(cycles.float(), tilt_limit_deg)]
        radius = cycles.double().norm(dim=1)
        order = radius.argsort(stable=True)
        cycles, shell = cycles[order], radius[order].round().long()
        # the coarsest come first
        self._few = int((radius <= side * voxel_size_A / (_COARSER * aligned_to_A)).sum())
        self._k_px = cycles.double() / side
        self._k_per_A = self._k_px / voxel_size_A
        self._map = Transform(reference.values, reference.voxel_size_A)
        mask = _mask(reference, side, voxel_size_A, aligned_to_A / 2)
        boxes = _masked_spectra(volumes, mask, cycles)
        boxes = -boxes if dark else boxes
        power = torch.zeros(int(shell.max()) + 1).index_add_(0, shell, boxes.abs().square().mean(0))
        noise = (power / torch.bincount(shell).clamp_min(1))[shell].clamp_min(1e-30).sqrt()
        self._boxes, self._noise = boxes / noise, noise

    def coarse(self) -> tuple[Tensor, Tensor, Tensor]:
        """The best of the grid with the best of 27 shifts, for each box."""
        grid, shifts = rotation_grid(_GRID_DEG), steps_each_way(_SHIFT_PX)
        boxes, few = self._boxes[:, : self._few], slice(self._few)
        templates = _real(self._templates(grid, few)).T
        best = torch.full((len(self._boxes),), -torch.inf)
        turn, shift = (torch.zeros(len(best), dtype=torch.int64) for _ in range(2))
        for number, each in enumerate(shifts):
            scores = _real(boxes * self._ramp(each, few)) @ templates
            highest, place = scores.max(1)
            better = highest > best
            best = torch.where(better, highest, best)
            turn, shift = torch.where(better, place, turn), shift.masked_fill(better, number)
        return grid[turn], shifts[shift], best

    def turned(self, rotations: Tensor, shifts_px: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """The best turn of the rotation of each box, at its shift."""
        found, scores = [], []
        for box, rotation, shift in zip(self._boxes, rotations, shifts_px, strict=True):
            tried = turns @ rotation
            values = _real(self._templates(tried)) @ _real((box * self._ramp(shift))[None])[0]
            found.append(tried[values.argmax()])
            scores.append(values.max())
        return torch.stack(found), torch.stack(scores)

    def shifted(
        self, rotations: Tensor, shifts_px: Tensor, steps_px: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The best shift of each box, at its rotation."""
        found, scores = [], []
        templates = self._templates(rotations)
        for box, template, shift in zip(self._boxes, templates, shifts_px, strict=True):
            tried = shift + steps_px
            values = (box * template.conj() * self._ramp(tried)).real.sum(1)
            found.append(tried[values.argmax()])
            scores.append(values.max())
        return torch.stack(found), torch.stack(scores)

    def _templates(self, rotations: Tensor, kept: slice = _ALL) -> Tensor:
        """(g, m) whitened transforms of the turned map, of norm 1."""
        # the map turned by A has M(A^T k): as rows, k A
        k = self._k_per_A[kept] @ rotations
        values = self._map.at(k.flatten(0, 1)).reshape(k.shape[:2]) / self._noise[kept]
        unit: Tensor = values / values.abs().square().sum(1, keepdim=True).sqrt().clamp_min(1e-30)
        return unit

    def _ramp(self, shifts_px: Tensor, kept: slice = _ALL) -> Tensor:
        """(..., m) what brings a particle at (..., 3) shifts to the middle."""
        phase = 2 * pi * (shifts_px @ self._k_px[kept].T)
        return torch.polar(torch.ones_like(phase), phase).to(torch.complex64)


def _masked_spectra(volumes: Tensor, mask: Tensor, cycles: Tensor) -> Tensor:
    """(n, m) transforms, with origin at voxel b // 2, of boxes cut to the band, then masked."""
    side = int(volumes.shape[-1])
    x, y, z = (cycles % side).unbind(1)
    back_x, back_y, back_z = (-cycles % side).unbind(1)
    band = torch.zeros(side, side, side)
    band[z, y, x] = band[back_z, back_y, back_x] = 1
    found = []
    for volume in volumes.float():
        low = torch.fft.ifftn(torch.fft.fftn(volume) * band).real
        found.append(torch.fft.fftn(torch.fft.ifftshift(low * mask))[z, y, x])
    return torch.stack(found)


def _mask(reference: Volume, side: int, voxel_size_A: float, margin_A: float) -> Tensor:
    """(side, side, side) soft ball about the matter of the map, with a margin."""
    axis = torch.arange(reference.box_px) - reference.box_px // 2
    away = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    matter = reference.values > _MATTER * reference.values.max()
    radius_A = float(away[matter].max()) * reference.voxel_size_A + margin_A
    radius_px = min(radius_A / voxel_size_A, side / 2 - _EDGE_PX)
    return sphere_mask(side, radius_px, _EDGE_PX)


def _real(values: Tensor) -> Tensor:
    """(..., 2 m) real and imaginary parts: products of two are the real part of a b*."""
    return torch.cat([values.real, values.imag], -1)
