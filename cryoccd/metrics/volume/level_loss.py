"""The loss at each noise level apart, with standard errors.

One pooled loss is ruled by which levels were drawn: with x0 predicted and levels uniform, the high
ones, where nothing can be seen and the loss is that of the mean, outweigh all that is learnt.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cryoccd.errors import CryoccdError


@dataclass(frozen=True, eq=False)
class LevelLoss:
    """Loss in bins of the noise level.

    Args:
        edges: (k + 1,) of the bins, each from its lower edge on; the last has its upper one too.
        mean: (k,) NaN where a bin is empty.
        standard_error: (k,) of the mean; NaN with fewer than two errors.
        count: (k,) errors of each bin.
    """

    edges: NDArray[np.float64]
    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    count: NDArray[np.int64]


def loss_by_level(errors: ArrayLike, levels: ArrayLike, edges: ArrayLike) -> LevelLoss:
    """Bin the errors of boxes by their levels.

    Args:
        errors: (n,) of each box, such as its mean squared error.
        levels: (n,) its noise level: t, sigma or the like.
        edges: (k + 1,) ascending.

    Raises:
        CryoccdError: other shapes, an error that is not finite, or a level outside the edges.
    """
    error, level, edge = (np.asarray(x, np.float64) for x in (errors, levels, edges))
    if error.ndim != 1 or error.shape != level.shape:
        raise CryoccdError(
            f"loss by level: errors {error.shape}, levels {level.shape}, expected (n,) of both"
        )
    if edge.ndim != 1 or len(edge) < 2 or not (np.diff(edge) > 0).all():
        raise CryoccdError(f"loss by level: edges {edge.tolist()}, expected ascending numbers")
    if not np.isfinite(error).all():
        row = int(np.flatnonzero(~np.isfinite(error))[0])
        raise CryoccdError(f"loss by level: error {row} is {error[row]}, expected a finite one")
    outside = ~((level >= edge[0]) & (level <= edge[-1]))
    if outside.any():
        raise CryoccdError(
            f"loss by level: level {level[outside][0]:g}, expected {edge[0]:g} to {edge[-1]:g}"
        )
    bins = len(edge) - 1
    place = np.minimum(np.searchsorted(edge, level, side="right") - 1, bins - 1)
    count = np.bincount(place, minlength=bins)
    some, several = count > 0, count > 1
    mean = np.full(bins, np.nan)
    mean[some] = np.bincount(place, error, bins)[some] / count[some]
    squares = np.bincount(place, (error - mean[place]) ** 2, bins)
    standard_error = np.full(bins, np.nan)
    n = count[several]
    standard_error[several] = np.sqrt(squares[several] / (n - 1) / n)
    return LevelLoss(edge, mean, standard_error, count.astype(np.int64))
