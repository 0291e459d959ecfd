"""Losses of a pose: of the rotation up to the particle's symmetry, and of the shift.

    L(R, A) = min over g of || R - A g ||_F ,    || R - A ||_F = 2 sqrt(2) sin(theta / 2) ,

over the operators g of the point group, theta the geodesic angle: A g and A show a symmetric
particle alike. The distance and not its square, which is steepest for the images that
no estimator can tell.
"""

from torch import Tensor

_LEAST = 1e-6  # of the square: the root has no slope at 0


def rotation_distance(found: Tensor, truth: Tensor, operators: Tensor) -> Tensor:
    """(n,) Frobenius distance to the nearest of the symmetric truths.

    Args:
        found: (n, 3, 3) rotations.
        truth: (n, 3, 3) matrices A.
        operators: (m, 3, 3) of the point group, see `cryoccd.specimen.symmetry`.
    """
    # of two rotations || R - A ||^2 = 6 - 2 tr(R^T A)
    traces = (found.mT @ truth).flatten(1) @ operators.mT.flatten(1).T
    return (6 - 2 * traces.amax(1)).clamp_min(_LEAST).sqrt()


def shift_loss(found_px: Tensor, truth_px: Tensor) -> Tensor:
    """(n,) squared distance of (n, 2) shifts."""
    return (found_px - truth_px).square().sum(-1)
