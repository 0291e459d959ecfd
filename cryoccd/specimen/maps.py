"""Maps of potential from MRC files, on the grid that a simulation asks for."""

from pathlib import Path

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records import Volume
from cryoccd.specimen.grid import check_voxel_size, fast_even, limit_to_nyquist
from cryoccd.specimen.map_file import read_density
from cryoccd.specimen.map_scale import MapScale


def read_map(
    path: Path, voxel_size_A: float, box_px: int | None = None, scale: MapScale | None = None
) -> Volume:
    """A map resampled to the target voxel size, about its centre.

    The map is padded with zeros to a cube about voxel n // 2, interpolated by its own Fourier
    series at the target voxels (exact for a band-limited map, at any ratio of voxel sizes), and cut
    at the Nyquist sphere of the target.

    Args:
        path: MRC file (.mrc, .map, plain or .gz) with its voxel size in the header.
        voxel_size_A: target voxel size, above 0.
        box_px: target box; the smallest even one with small prime factors that holds the map by
            default. A smaller one crops about the centre.
        scale: how values become volts; None where they are volts above the solvent already, as
            `potential` gives them.

    Raises:
        CryoccdError: not a readable volume, a constant one, no voxel size in its header, a
            target not above 0, or a scale that does not fit it.
    """
    check_voxel_size(voxel_size_A)
    values, source_A = read_density(path)
    if values.min() == values.max():
        raise CryoccdError(
            f"{path}: constant, every voxel is {values.flat[0]:g}; expected the map of a specimen"
        )
    if scale is not None:
        try:
            values = scale.apply(values, source_A)
        except CryoccdError as error:
            raise CryoccdError(f"{path}: {error}") from error
    cube = _cube(torch.from_numpy(values))
    box = fast_even(cube.shape[0] * source_A / voxel_size_A) if box_px is None else box_px
    if box < 2:
        raise CryoccdError(f"{path}: box_px = {box}, expected 2 or more")
    series = _interpolation(cube.shape[0], source_A, box, voxel_size_A)
    for _ in range(3):  # each pass treats the last axis and moves it to the front
        cube = (cube @ series.T).movedim(-1, 0)
    spectrum = limit_to_nyquist(torch.fft.rfftn(cube), voxel_size_A)
    return Volume(torch.fft.irfftn(spectrum, s=(box, box, box)), voxel_size_A)


def _cube(values: Tensor) -> Tensor:
    """Zeros added so that voxel n // 2 of each axis becomes voxel n // 2 of the cube."""
    side = max(values.shape)
    cube = torch.zeros(side, side, side)
    start = [side // 2 - size // 2 for size in values.shape]
    z, y, x = (slice(low, low + size) for low, size in zip(start, values.shape, strict=True))
    cube[z, y, x] = values
    return cube


def _interpolation(source_px: int, source_A: float, target_px: int, target_A: float) -> Tensor:
    """(target, source) matrix: the source's Fourier series below both Nyquists at target voxels.

    Rows of voxels outside the source are zero.
    """
    source = (torch.arange(source_px, dtype=torch.float64) - source_px // 2) * source_A
    target = (torch.arange(target_px, dtype=torch.float64) - target_px // 2) * target_A
    period_A = source_px * source_A
    limit = min(0.5 / source_A, 0.5 / target_A) * period_A
    order = torch.arange(1, int(limit) + 1, dtype=torch.float64)
    order = order[order < limit * (1 - 1e-9)]
    phase = 2 * torch.pi / period_A * (target[:, None] - source)
    series = 1 + 2 * sum(torch.cos(k * phase) for k in order)
    inside = (target >= source[0] - source_A / 2) & (target <= source[-1] + source_A / 2)
    return (series / source_px * inside[:, None]).float()
