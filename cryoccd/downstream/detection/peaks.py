"""Peaks of the heat map of a class: greedy non-maximum suppression among the local maxima.

As `cryoccd.downstream.picking.peaks` in the plane: a cell that none of its 26 neighbours exceeds is
kept unless a higher one that is kept lies within the radius. Its place is the vertex of the
parabola through it and its neighbours along each axis, at most half a cell away; of the logits, as
those of a Gaussian are near a parabola.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool3d

from cryoccd.downstream.picking.peaks import suppress

Points = NDArray[np.float64]


def find_peaks(logits: Tensor, radius_cells: float, floor: float) -> tuple[Points, Points]:
    """Peaks of one class, highest first.

    Args:
        logits: (d, h, w) finite.
        radius_cells: no two peaks are on cells so near to one another, or nearer.
        floor: heat, between 0 and 1, below which there is no peak.

    Returns:
        (n, 3) places x, y, z in cells from the centre of cell [0, 0, 0], and (n,) heat there.
    """
    highest = max_pool3d(logits[None], 3, 1, 1)[0]
    cells = ((logits == highest) & (logits.sigmoid() >= floor)).nonzero()
    order = logits[tuple(cells.unbind(1))].argsort(descending=True, stable=True)
    zyx = cells[order].numpy()
    zyx = zyx[suppress(zyx, radius_cells)]
    heat = logits[tuple(torch.from_numpy(zyx).unbind(1))].double().sigmoid().numpy()
    values = logits.double().numpy()
    return (zyx + _vertices(values, zyx))[:, ::-1].copy(), heat


def _vertices(values: Points, cells: NDArray[np.int64]) -> Points:
    """(n, 3) shift along each axis to the vertex; 0 at the border and on a plateau."""
    shift = np.zeros(cells.shape)
    here = values[tuple(cells.T)]
    for axis, size in enumerate(values.shape):
        step = np.zeros(3, np.int64)
        step[axis] = 1
        below = values[tuple((cells - step).clip(0).T)]
        above = values[tuple(np.minimum(cells + step, np.array(values.shape) - 1).T)]
        bend = 2 * here - below - above
        inner = (cells[:, axis] > 0) & (cells[:, axis] < size - 1) & (bend > 0)
        shift[:, axis] = np.where(inner, (above - below) / np.where(inner, 2 * bend, 1.0), 0.0)
    return shift
