"""Correlations between boxes: blurred, cut to what counts, each at mean 0 and norm 1.

The blur, a Gaussian of 1.5 voxels, takes off the noise that no two boxes share. What is cut has an
odd side about voxel b // 2, so that it keeps its place under half turns.
"""

from math import pi

import torch
from torch import Tensor

BLUR_VOXELS = 1.5
_AT_ONCE = 64


def blurred(volumes: Tensor, sigma_voxels: float = BLUR_VOXELS) -> Tensor:
    """(n, b, b, b) boxes under a Gaussian of a standard deviation in voxels; edges wrap."""
    side = int(volumes.shape[-1])
    k, half = torch.fft.fftfreq(side), torch.fft.rfftfreq(side)
    k2 = k[:, None, None] ** 2 + k[:, None] ** 2 + half**2
    transfer = torch.exp(-2 * (pi * sigma_voxels) ** 2 * k2)
    axes, size = (1, 2, 3), (side,) * 3
    parts = [
        torch.fft.irfftn(torch.fft.rfftn(part, dim=axes) * transfer, s=size, dim=axes)
        for part in torch.split(volumes.float(), _AT_ONCE)
    ]
    return torch.cat(parts)


def middle(volumes: Tensor, reach_voxels: int, step: int = 1) -> Tensor:
    """Every `step`-th voxel up to a reach either side of voxel b // 2 along each axis."""
    centre = int(volumes.shape[-1]) // 2
    reach = reach_voxels // step * step
    kept = slice(centre - reach, centre + reach + 1, step)
    return volumes[:, kept, kept, kept]


def unit_rows(volumes: Tensor) -> Tensor:
    """(n, m) rows at mean 0 and norm 1: their inner products are correlations."""
    flat = volumes.flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    rows: Tensor = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return rows


def whole_rows(volumes: Tensor) -> Tensor:
    """Rows of whole boxes after the blur, every second voxel, which it leaves independent."""
    return unit_rows(middle(blurred(volumes), int(volumes.shape[-1]) // 2 - 1, step=2))


def central_rows(volumes: Tensor) -> Tensor:
    """Rows of the middle half of the boxes along each axis, after the blur."""
    return unit_rows(middle(blurred(volumes), int(volumes.shape[-1]) // 4))
