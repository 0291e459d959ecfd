"""Cubes (n, n, n) with their origin at voxel n // 2: filtered, mirrored, on other grids."""

import torch
from torch import Tensor


def filtered(cubes: Tensor, transfer: Tensor) -> Tensor:
    """(n, m, m, m) cubes times a transfer (..., m, m, m // 2 + 1) in Fourier space."""
    spectrum = torch.fft.rfftn(cubes, dim=(1, 2, 3)) * transfer
    result: Tensor = torch.fft.irfftn(spectrum, s=cubes.shape[1:])
    return result


def mirrored(cubes: Tensor, axis: int) -> Tensor:
    """Cubes with one axis turned round about its origin, voxel n // 2."""
    return torch.roll(cubes.flip(axis), 1 - int(cubes.shape[axis]) % 2, dims=axis)


def resampled(values: Tensor, side: int) -> Tensor:
    """A cube (n, n, n) on `side` voxels over the same edge, in Fourier space.

    The origin goes from voxel n // 2 to voxel side // 2.
    """
    before = int(values.shape[-1])
    most = (min(before, side) - 1) // 2
    kept = torch.meshgrid([torch.arange(-most, most + 1)] * 3, indexing="ij")
    spectrum = torch.fft.fftn(torch.fft.ifftshift(values.float()))
    other = torch.zeros((side,) * 3, dtype=spectrum.dtype)
    other[kept] = spectrum[kept]
    cube: Tensor = torch.fft.fftshift(torch.fft.ifftn(other).real) * (side / before) ** 3
    return cube


def distance(side: int) -> Tensor:
    """(side, side, side) distance from voxel side // 2."""
    axis = (torch.arange(side) - side // 2).float()
    return (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
