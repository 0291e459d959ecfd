"""Relative transmission of the ice: estimated on real micrographs, or from a known thickness.

The estimate follows the published description of CryoGEM's "weight map" (an IceBreaker-like
scheme): low-pass at 21.76 angstrom, equalise the histogram, average over 16 x 16 blocks, cluster
the grey levels by k-means into 6, give each cluster its mean, smooth. Different here: the image is
clipped at 4 robust standard deviations instead of stretched to its extremes, so that a hot pixel
changes nothing; k-means is seeded, bounded and sees the blocks on a 128 x 128 grid. The map tells
where the ice is darker, not by how much the beam is weakened: equalisation forgets the scale.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.normalise import robust_normalise
from cryoccd.io.atomic import atomic_path

GRID = 128
"""Side of the map on which the estimate is made and kept."""

_SCHEME = "ice-1"  # part of the cache key: change it with the algorithm
_BLOCKS, _CLUSTERS, _ROUNDS = 16, 6, 100
_CUTOFF_A = 21.76
_EDGE = 0.01 * 0.5**0.5  # width of the cosine edge: 1 % of the half-diagonal, in cycles a pixel
_SMOOTHING = 31.1 / 1024  # sigma as a fraction of the side
_FLOOR = 1e-3


def estimate_ice(image: Tensor, pixel_size_A: float, seed: int) -> Tensor:
    """(GRID, GRID) relative transmission in (0, 1], 1 = brightest, of an (h, w) micrograph."""
    clipped = robust_normalise(image).clamp(-4, 4)
    smooth = _low_pass(clipped, pixel_size_A)
    equalised = _equalise(smooth)[None, None]
    blocks = functional.adaptive_avg_pool2d(equalised, _BLOCKS)
    grid = functional.interpolate(blocks, (GRID, GRID), mode="bilinear")[0, 0].double().numpy()
    labels = _cluster(grid.ravel(), np.random.default_rng(seed)).reshape(grid.shape)
    means = np.bincount(labels.ravel(), grid.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
    blurred = gaussian_filter(means[labels], _SMOOTHING * GRID, mode="nearest")
    relative = np.maximum(blurred / blurred.max(), _FLOOR)
    return torch.from_numpy(relative.astype(np.float32))


def cached_ice(image: Tensor, pixel_size_A: float, seed: int, cache: Path | None) -> Tensor:
    """estimate_ice, kept in `cache` under the hash of the image, its pixel size and the seed.

    A file that does not read as a map is estimated and written again.
    """
    if cache is None:
        return estimate_ice(image, pixel_size_A, seed)
    digest = hashlib.sha256(f"{_SCHEME}:{pixel_size_A!r}:{seed}:{tuple(image.shape)}".encode())
    digest.update(image.contiguous().numpy().tobytes())
    path = cache / f"{digest.hexdigest()[:32]}.npy"
    kept = _read_map(path)
    if kept is not None:
        return kept
    estimated = estimate_ice(image, pixel_size_A, seed)
    with atomic_path(path) as temporary:
        np.save(temporary, estimated.numpy())  # the temporary name ends in .npy too
    return estimated


def transmission(thickness_A: Tensor, mean_free_path_A: float = 3000.0) -> Tensor:
    """exp(-t / mean free path) over its maximum: 1 where the ice is thinnest.

    The default is about the inelastic mean free path in vitreous ice at 300 kV.

    Args:
        thickness_A: (h, w) thickness.
        mean_free_path_A: path after which 1/e of the beam is left.
    """
    return torch.exp((thickness_A.min() - thickness_A) / mean_free_path_A)


def upsample(ice: Tensor, shape_px: tuple[int, ...]) -> Tensor:
    """A coarse map on the pixels of its micrograph, bilinear, still in (0, 1]."""
    size = [int(side) for side in shape_px]
    fine = functional.interpolate(ice[None, None], size, mode="bilinear")[0, 0]
    return fine.clamp(max=1)  # the weights of a pixel may sum to a rounding error above 1


def _low_pass(image: Tensor, pixel_size_A: float) -> Tensor:
    """Radial window with a cosine edge; nothing where the cut-off lies beyond every frequency."""
    shape = (int(image.shape[0]), int(image.shape[1]))
    radius = radial_frequency(shape, rfft=True)
    step = ((pixel_size_A / _CUTOFF_A - radius) / _EDGE + 1).clamp(0, 1)
    window = 0.5 - 0.5 * torch.cos(torch.pi * step)
    filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(image) * window, s=shape)
    return filtered


def _equalise(image: Tensor) -> Tensor:
    """Histogram equalisation to [0, 1] with 256 bins, linear between their edges."""
    values = image.numpy()
    counts, edges = np.histogram(values, bins=256)
    cumulative = np.concatenate([[0.0], np.cumsum(counts)]) / values.size
    return torch.from_numpy(np.interp(values, edges, cumulative).astype(np.float32))


def _cluster(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Cluster index of each value by k-means on a line; a cluster that empties keeps its place."""
    distinct = np.unique(values)
    centres = np.sort(rng.choice(distinct, min(_CLUSTERS, len(distinct)), replace=False))
    for _ in range(_ROUNDS):
        labels = np.searchsorted((centres[1:] + centres[:-1]) / 2, values)
        counts = np.bincount(labels, minlength=len(centres))
        sums = np.bincount(labels, values, minlength=len(centres))
        moved = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
        if np.square(moved - centres).sum() < 1e-8:
            break
        centres = moved
    return labels


def _read_map(path: Path) -> Tensor | None:
    if not path.is_file():
        return None
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = values.shape == (GRID, GRID) and values.dtype == np.float32
    if not (whole and (values > 0).all() and (values <= 1).all()):
        return None
    return torch.from_numpy(values)
