"""Correlation of cubes at every shift that is looked at, and where it is highest."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.verify.tomograms.subtomograms import SEARCH_PX, Frame

Shift = tuple[int, int, int]
"""z, y, x in voxels of a frame."""

_DIMS = (1, 2, 3)
_STEPS = 5  # of Newton, from the highest voxel to the peak
_NEAR = 2  # voxels of a frame about the shift of all, in which each particle's own is looked for


def common_shift(seen: Tensor, views: Tensor, frame: Frame) -> Shift:
    """By which all particles lie away from the middle of their cubes.

    Args:
        seen: (n, m, m, m // 2 + 1) transforms of the cubes.
        views: (n, m, m, m // 2 + 1) those of what they should show.
        frame: of both.
    """
    norm = (_power(seen) * _power(views)).sqrt().clamp_min(1e-30)
    mean = (seen * views.conj() / norm[:, None, None, None]).mean(0, keepdim=True)
    reach = SEARCH_PX * frame.edge_A / frame.cut_px / frame.step_A
    return _highest(_at_all_shifts(mean, frame), (0, 0, 0), reach)[0]


def correlation_at(shift: Shift, cubes: Tensor, views: Tensor, frame: Frame) -> NDArray[np.float64]:
    """(n,) correlation of (n, m, m, m) cubes with masked views that lie at a shift in them."""
    moved = torch.roll(cubes, [-s for s in shift], dims=_DIMS) * frame.mask()
    norm = (moved.square().sum(_DIMS) * views.square().sum(_DIMS)).sqrt().clamp_min(1e-30)
    return np.asarray(((moved * views).sum(_DIMS) / norm).double().numpy())


def shifts_px(seen: Tensor, views: Tensor, about: Shift, frame: Frame) -> NDArray[np.float64]:
    """(n, 3) shift x, y, z of each particle in voxels of its tomogram, near that of all.

    The peak of the cross-correlation, by Newton steps from its highest voxel.

    Args:
        seen: (n, m, m, m // 2 + 1) transforms of the cubes.
        views: (n, m, m, m // 2 + 1) those of what they should show.
        about: shift of all.
        frame: of both.
    """
    cross = seen * views.conj()
    peaks = _highest(_at_all_shifts(cross, frame), about, _NEAR)
    start_A = torch.tensor(peaks, dtype=torch.float64).reshape(-1, 3).flip(-1) * frame.step_A
    shift_A = start_A
    cross = (cross * _twice(seen)).flatten(1).to(torch.complex128)
    k = 2 * torch.pi * frame.frequencies().flatten(0, 2)
    for _ in range(_STEPS):
        turned = cross * torch.exp(1j * (shift_A @ k.T))
        slope = -(turned.imag @ k)
        bend = -torch.einsum("nm,mi,mj->nij", turned.real, k, k)
        bend = bend - 1e-9 * bend.abs().amax() * torch.eye(3)  # of a cube without signal
        step_A = -torch.linalg.solve(bend, slope[..., None])[..., 0]
        shift_A = shift_A + step_A.clamp(-frame.step_A / 2, frame.step_A / 2)
    shift_A = start_A + (shift_A - start_A).clamp(-frame.step_A, frame.step_A)
    return np.asarray((shift_A * (frame.cut_px / frame.edge_A)).numpy())


def _at_all_shifts(products: Tensor, frame: Frame) -> Tensor:
    """(n, m, m, m), no shift at voxel m // 2."""
    maps = torch.fft.irfftn(products, s=(frame.side,) * 3, dim=_DIMS)
    shifted: Tensor = torch.fft.fftshift(maps, dim=_DIMS)
    return shifted


def _highest(maps: Tensor, about: Shift, reach: float) -> list[Shift]:
    """Where each of (n, m, m, m) is highest, no further than `reach` from a shift."""
    side = maps.shape[-1]
    axis = torch.arange(side) - side // 2
    z, y, x = ((axis - s).abs() <= reach for s in about)
    window = z[:, None, None] & y[:, None] & x
    index = torch.where(window, maps, -torch.inf).flatten(1).argmax(1)
    places = np.stack(np.unravel_index(index.numpy(), maps.shape[1:]), axis=1) - side // 2
    return [(int(z), int(y), int(x)) for z, y, x in places]


def _power(spectra: Tensor) -> Tensor:
    """(n,) sum of squares of cubes by their transforms, up to a constant."""
    return (spectra.abs().square() * _twice(spectra)).sum(_DIMS)


def _twice(spectra: Tensor) -> Tensor:
    """(m // 2 + 1,) how often each column of a transform stands in the whole one."""
    twice = torch.full((spectra.shape[-1],), 2.0)
    twice[0] = 1.0
    return twice
