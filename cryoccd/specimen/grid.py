"""Grids of maps: sizes, voxel sizes, and the band inside the Nyquist sphere."""

from math import ceil

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError


def squared_frequency(box_px: int, voxel_size_A: float) -> Tensor:
    """(n, n, n // 2 + 1) squared spatial frequency in 1/A^2 of a real transform's half space."""
    full = torch.fft.fftfreq(box_px, voxel_size_A) ** 2
    half = torch.fft.rfftfreq(box_px, voxel_size_A) ** 2
    squared: Tensor = full[:, None, None] + full[None, :, None] + half
    return squared


def limit_to_nyquist(spectrum: Tensor, voxel_size_A: float) -> Tensor:
    """The half-space spectrum (n, n, n // 2 + 1) with zeros at and beyond the Nyquist sphere.

    A sphere, not the cube of the grid: a rotated map keeps its content.
    """
    box_px = int(spectrum.shape[0])
    inside = squared_frequency(box_px, voxel_size_A) < (0.5 / voxel_size_A) ** 2 * (1 - 1e-6)
    return spectrum * inside


def check_voxel_size(voxel_size_A: float) -> None:
    """Refuse a voxel size that is not a positive number."""
    if not 0 < voxel_size_A < float("inf"):
        raise CryoccdError(f"voxel_size_A = {voxel_size_A}, expected angstrom above 0, e.g. 1.5")


def fast_even(minimum: float) -> int:
    """Smallest even size, at least `minimum`, with the prime factors 2, 3 and 5 only."""
    return 2 * int(next_fast_len(ceil(minimum / 2 - 1e-9), real=True))
