"""One rotation out of several estimates of it, up to symmetry.

Of each estimate the mate that is nearest to the first; of these the chordal mean, the rotation
nearest to their sum (Hartley, Trumpf, Dai & Li, Int J Comput Vis 103, 267, 2013).
"""

import torch
from torch import Tensor


def consensus(estimates: Tensor, operators: Tensor) -> Tensor:
    """(n, 3, 3) rotations.

    Args:
        estimates: (n, k, 3, 3) rotations, k of each.
        operators: (m, 3, 3) of the point group.
    """
    mates = estimates[:, :, None] @ operators  # (n, k, m, 3, 3)
    overlap = torch.einsum("nij,nkmij->nkm", estimates[:, 0], mates)  # traces
    nearest = overlap.argmax(-1)[..., None, None, None].expand(-1, -1, 1, 3, 3)
    return to_rotation(mates.gather(2, nearest).sum((1, 2)))


def to_rotation(matrices: Tensor) -> Tensor:
    """(n, 3, 3) rotations nearest to matrices (Arun, Huang & Blostein 1987)."""
    left, _, right = torch.linalg.svd(matrices)
    sign = torch.ones(matrices.shape[:-1]).to(matrices)
    sign[..., -1] = torch.linalg.det(left @ right)
    rotations: Tensor = (left * sign[..., None, :]) @ right
    return rotations
