"""Heat maps of classes: what the network is taught, and the loss.

A particle is a Gaussian about its place, of peak 1 at the cell that is nearest to it; those of one
class are joined by the larger. The loss is the penalty-reduced focal loss of Zhou, Wang &
Kraehenbuehl 2019, Objects as Points, arXiv:1904.07850, equation 1: with heat p and target t

    L = -1/N sum  (1 - p)^2 log p              where t = 1,
                  (1 - t)^4 p^2 log(1 - p)     elsewhere ,

N the number of particles. A few cells in ten thousand are particles: what is surely empty counts
next to nothing, and the cells beside a place are not told off.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def heat_maps(cells: int, places: Tensor, labels: Tensor, sigmas: Sequence[float]) -> Tensor:
    """(classes, cells, cells, cells) float32 target, axes z, y, x.

    Args:
        cells: along each side.
        places: (n, 3) x, y, z in cells from the centre of cell [0, 0, 0]; they may lie outside.
        labels: (n,) class of each.
        sigmas: of the Gaussians of each class, in cells.
    """
    target = torch.zeros(len(sigmas), cells, cells, cells)
    axis = torch.arange(cells, dtype=torch.float64)
    for place, label in zip(places.double(), labels.tolist(), strict=True):
        x, y, z = ((axis - centre).square() / (-2 * sigmas[label] ** 2) for centre in place)
        gaussian = (z[:, None, None] + y[:, None] + x).exp().float()
        target[label] = torch.maximum(target[label], gaussian.clamp(max=_BELOW_ONE))
    nearest = (places + 0.5).floor().long()
    inside = ((nearest >= 0) & (nearest < cells)).all(1)
    x, y, z = nearest[inside].unbind(1)
    target[labels[inside], z, y, x] = 1.0
    return target


_BELOW_ONE = 1 - 2**-20  # a Gaussian whose peak is at a cell is 1 there alone


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Equation 1 of logits and targets of the same shape."""
    positive = target == 1
    heat = logits.sigmoid()
    found = (1 - heat).square() * logsigmoid(logits)
    empty = (1 - target).pow(4) * heat.square() * logsigmoid(-logits)
    return -torch.where(positive, found, empty).sum() / positive.sum().clamp(min=1)
