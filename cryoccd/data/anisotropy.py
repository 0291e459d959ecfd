"""Whether the spectrum of real micrographs has a direction.

Drift, astigmatism and the rows of a detector give the spectrum a direction; crops turned by 90
degrees would teach a translator the average of two. Averaged Hann-windowed spectra of half
overlapping tiles are cut into three rings an octave wide or so, and those into eight sectors; the
measure is the largest ratio between two perpendicular sectors of one ring, the pairs that a quarter
turn exchanges. 1 = none; the noise of the estimate lifts it to about 1.1 for a handful of
micrographs.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid

THRESHOLD = 1.25
"""Ratio (1 dB) above which a spectrum counts as anisotropic."""

_TILE_PX, _SECTORS, _RINGS = 256, 8, 3
_LARGEST_PX = 2048  # tiles enough, and the memory of a large detector's is spared
_LOW_CYCLES = 8  # cycles a tile; the few modes below are noise


def spectral_anisotropy(images: Iterable[Tensor]) -> float:
    """Largest ratio of perpendicular sectors over the mean spectrum of (h, w) images."""
    total: Tensor | None = None
    for image in images:
        image = image[:_LARGEST_PX, :_LARGEST_PX]
        tile = min(_TILE_PX, *(2 ** (int(side).bit_length() - 2) for side in image.shape))
        tiles = image.unfold(0, tile, tile // 2).unfold(1, tile, tile // 2).reshape(-1, tile, tile)
        window = torch.hann_window(tile)
        tiles = (tiles - tiles.mean((-2, -1), keepdim=True)) * window[:, None] * window
        power = torch.fft.fft2(tiles).abs().square().double().mean(0)
        total = power if total is None else total + power
    if total is None:
        return 1.0
    sectors = _sector_means(total)
    ratio = sectors / sectors.roll(_SECTORS // 2, dims=1)
    return float(torch.nan_to_num(ratio, nan=1.0).max())  # small fields have empty sectors


def _sector_means(power: Tensor) -> Tensor:
    """(rings, sectors) means of an unshifted (n, n) spectrum; opposite directions are one."""
    side = int(power.shape[0])
    k_y, k_x = frequency_grid((side, side))
    cycles = torch.hypot(k_y, k_x) * side
    edges = torch.logspace(0, 1, _RINGS + 1, base=0.45 * side / _LOW_CYCLES) * _LOW_CYCLES
    ring = torch.bucketize(cycles, edges, right=True) - 1
    # sectors are centred on the axes, where the rows of a detector show
    angle = torch.atan2(k_y, k_x) / torch.pi * _SECTORS + 0.5
    sector = angle.floor().long() % _SECTORS
    inside = (ring >= 0) & (ring < _RINGS)
    index = (ring * _SECTORS + sector)[inside]
    sums = torch.zeros(_RINGS * _SECTORS, dtype=power.dtype).index_add_(0, index, power[inside])
    counts = torch.bincount(index, minlength=_RINGS * _SECTORS)
    return (sums / counts).reshape(_RINGS, _SECTORS)
