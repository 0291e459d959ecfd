"""One rotation out of several estimates of it, up to symmetry.

The estimate that is nearest to the others by median, an outlier among them or not, and of the
others their mates nearest to it. About these, one step of Weiszfeld's algorithm towards the median
rotation (Hartley, Trumpf, Dai & Li, Int J Comput Vis 103, 267, 2013):

    R = SO(3) projection of sum_i R_i / max(||R_i - M||, eps)
"""

import torch
from torch import Tensor

_LEAST = 0.1  # of the chordal distance, 2 degrees: what agrees so well counts alike


def consensus(estimates: Tensor, operators: Tensor) -> Tensor:
    """(n, 3, 3) rotations.

    Args:
        estimates: (n, k, 3, 3) rotations, k of each.
        operators: (m, 3, 3) of the point group.
    """
    mates = estimates[:, :, None] @ operators  # (n, k, m, 3, 3)
    overlap = torch.einsum("naij,nbmij->nabm", estimates, mates)  # traces
    distance = (6 - 2 * overlap.amax(-1)).clamp_min(0).sqrt()  # (n, k, k)
    each = torch.arange(len(estimates))
    middle = distance.median(dim=2).values.argmin(1)
    nearest = overlap[each, middle].argmax(-1)  # (n, k)
    near = mates[each[:, None], torch.arange(estimates.shape[1]), nearest]
    weight = 1 / distance[each, middle].clamp_min(_LEAST)
    return to_rotation((weight[..., None, None] * near).sum(1))


def to_rotation(matrices: Tensor) -> Tensor:
    """(n, 3, 3) rotations nearest to matrices (Arun, Huang & Blostein 1987)."""
    left, _, right = torch.linalg.svd(matrices)
    sign = torch.ones(matrices.shape[:-1]).to(matrices)
    sign[..., -1] = torch.linalg.det(left @ right)
    rotations: Tensor = (left * sign[..., None, :]) @ right
    return rotations
