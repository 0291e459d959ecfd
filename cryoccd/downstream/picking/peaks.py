"""Peaks of a score map: greedy non-maximum suppression among the local maxima.

A local maximum ranks above its eight neighbours; of equal scores the one that comes first row by
row ranks higher, so a plateau has one peak and no order of computation changes it. From the
highest down each is kept unless a kept one lies within the radius (Neubeck & Van Gool 2006,
doi:10.1109/ICPR.2006.479, algorithm 1, with a disc in place of the square).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn.functional import max_pool2d

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.picks import Picks


def find_peaks(scores: Tensor, radius_px: float, subpixel: bool = True) -> Picks:
    """All peaks of a score map, highest first.

    Args:
        scores: (h, w) finite scores.
        radius_px: no two peaks lie on pixels so near to one another, or nearer.
        subpixel: move each by the parabola through it and its neighbours, by half a pixel at most.

    Returns:
        Picks in pixels of the map; the scores are those of the pixels.

    Raises:
        CryoccdError: a score that is not finite.
    """
    if not bool(scores.isfinite().all()):
        raise CryoccdError("score map: a value is not finite; the picker or its input is faulty")
    rows, columns = _local_maxima(scores)
    keep = suppress(np.stack([columns, rows], axis=1), radius_px)
    rows, columns = rows[keep], columns[keep]
    values = scores.to(torch.float64).numpy()
    positions = np.stack([columns, rows], axis=1).astype(np.float64)
    if subpixel:
        positions[:, 0] += _vertex(values, rows, columns)
        positions[:, 1] += _vertex(values.T, columns, rows)
    return Picks(positions, values[rows, columns])


def _local_maxima(scores: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns, highest first."""
    order = scores.flatten().argsort(descending=True, stable=True)
    rank = torch.empty(order.numel(), dtype=torch.float64)  # counts to 2^53 exactly
    rank[order] = torch.arange(order.numel(), 0, -1, dtype=torch.float64)
    rank = rank.reshape(scores.shape)
    highest = max_pool2d(rank[None], 3, 1, 1)[0]
    found = order[(rank == highest).flatten()[order]].numpy()
    width = int(scores.shape[1])
    return found // width, found % width


def suppress(positions: NDArray[np.int64], radius_px: float) -> NDArray[np.int64]:
    """Indices of those kept, of (n, 2) positions in falling order of their scores."""
    if len(positions) == 0:
        return np.zeros(0, np.int64)
    tree = cKDTree(positions)
    near = tree.query_ball_point(positions, radius_px, return_sorted=False)
    alive, kept = np.ones(len(positions), bool), []
    for i, neighbours in enumerate(near):
        if alive[i]:
            kept.append(i)
            alive[neighbours] = False
    return np.asarray(kept, np.int64)


def _vertex(
    values: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Shift along the rows to the vertex of the parabola; 0 at the border and on a plateau."""
    width = values.shape[1]
    left = values[rows, np.maximum(columns - 1, 0)]
    right = values[rows, np.minimum(columns + 1, width - 1)]
    bend = 2 * values[rows, columns] - left - right
    inside = (columns > 0) & (columns < width - 1) & (bend > 0)
    return np.where(inside, (right - left) / np.where(inside, 2 * bend, 1.0), 0.0)
