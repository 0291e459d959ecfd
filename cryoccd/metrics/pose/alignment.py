"""One global rotation between two sets of poses, and their hand.

A map made from images alone may stand in any frame, c' = Q^T c, and every estimate then is

    B_i = A_i g_i Q        (g_i any operator of the object's group G)

for one Q. The votes P_i = A_i^T B_i therefore lie near the rotations g Q. Candidates for Q are the
votes of single images, as in the published codes. Those of least median angle over all images,
which bears nearly half of them as outliers (Rousseeuw 1984, J Am Stat Assoc 79, 871), are each
drawn to the mean of the votes within two medians of them (chordal mean by singular values, Hartley
et al. 2013, Int J Comput Vis 103, 267), and the one of least median wins.

The hand. With M = diag(1, 1, -1) the mirrored map V'(c) = V(M c) has, in pose M A M, the image

    sum_z V(M (M A M)^T r) = sum_z V(A^T M r),  r = (x, y, z), M r = (x, y, -z),

which is that of V in pose A: the sum over z is the same. So images cannot tell the hand, and the
mirrored answer is B_i = M A_i M Q, or M B_i M = A_i (M Q M): the same fit with mirrored estimates.
It is scored and reported and never used.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.errors import check_rotations, geodesic_deg

Hand = Literal["same", "mirrored"]

_CANDIDATES = 100  # single images whose vote is tried
_REFINED = 5  # of them, the best
_STEPS = 30
_NEAR = 2.0  # medians: votes that enter the mean
_AT_ONCE = 2**22  # traces in memory


@dataclass(frozen=True)
class Alignment:
    """How estimated poses lie to the true ones.

    Args:
        rotation: (3, 3) Q of the same hand, B_i = A_i Q.
        median_deg: median geodesic error that it leaves, over symmetry.
        mirrored_rotation: (3, 3) Q of the mirrored hand, M B_i M = A_i Q.
        mirrored_median_deg: what that would leave.
    """

    rotation: Tensor
    median_deg: float
    mirrored_rotation: Tensor
    mirrored_median_deg: float

    @property
    def hand(self) -> Hand:
        """Which fits better; says nothing where neither does (`PoseErrors.mirrored_fits`)."""
        return "mirrored" if self.mirrored_median_deg < self.median_deg else "same"

    def aligned(self, estimated: Tensor) -> Tensor:
        """(n, 3, 3) estimates in the frame of the truth; their hand is left as it is."""
        return estimated.double() @ self.rotation.T


def align(true: Tensor, estimated: Tensor, symmetry: Tensor | None = None) -> Alignment:
    """The global rotation of either hand, found over all images.

    Args:
        true: (n, 3, 3) rotations A, object to view.
        estimated: (n, 3, 3) rotations B of the same images.
        symmetry: (g, 3, 3) operators of the true object, in its frame.

    Returns:
        The same whatever the order of the images.

    Raises:
        CryoccdError: matrices that are no rotations, or not as many of each.
    """
    check_rotations("true poses", true)
    check_rotations("estimated poses", estimated)
    if len(true) != len(estimated):
        raise CryoccdError(f"poses: {len(estimated)} estimated, {len(true)} true, expected as many")
    same, same_deg = fit_rotation(true, estimated, symmetry)
    mirrored, mirrored_deg = fit_rotation(true, mirror_poses(estimated), symmetry)
    return Alignment(same, same_deg, mirrored, mirrored_deg)


def mirror_poses(rotations: Tensor) -> Tensor:
    """M A M, M = diag(1, 1, -1): the poses in which the map mirrored in z gives the same images."""
    sign = torch.tensor([1.0, 1.0, -1.0], dtype=rotations.dtype)
    return rotations * torch.outer(sign, sign)


def canonical_order(true: Tensor, estimated: Tensor) -> Tensor:
    """(n,) indices that sort pairs of poses by their entries: the same set, the same sequence."""
    columns = torch.cat([true.double().flatten(1), estimated.double().flatten(1)], 1).T
    return torch.from_numpy(np.lexsort(columns.numpy()))


def fit_rotation(
    true: Tensor, estimated: Tensor, symmetry: Tensor | None = None
) -> tuple[Tensor, float]:
    """Q of one hand, estimated_i = true_i Q, and the median geodesic error in degrees it leaves."""
    order = canonical_order(true, estimated)
    true, estimated = true.double()[order], estimated.double()[order]
    operators = torch.eye(3, dtype=torch.float64)[None] if symmetry is None else symmetry.double()
    votes = true.mT @ estimated
    tried = torch.linspace(0, len(votes) - 1, min(len(votes), _CANDIDATES)).round().long()
    candidates = votes[tried]
    step = max(1, _AT_ONCE // (len(votes) * len(operators)))
    medians = torch.cat(
        [_traces(votes, operators, part)[0] for part in torch.split(candidates, step)]
    )
    best = candidates[medians.argsort(descending=True, stable=True)[:_REFINED]]
    fits = [_refined(votes, operators, rotation) for rotation in best]
    rotation = max(fits, key=lambda fit: fit[1])[0]
    left = geodesic_deg(true, estimated @ rotation.T, symmetry)
    return rotation, float(left.quantile(0.5))


def _traces(votes: Tensor, operators: Tensor, rotations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each of (k, 3, 3) rotations: median trace (k,), traces (n, k) and nearest operators."""
    mates = operators[:, None] @ rotations  # (g, k, 3, 3); trace((g Q)^T P) = sum (g Q) * P
    traces = votes.flatten(1) @ mates.flatten(2).flatten(0, 1).T
    traces, nearest = traces.view(len(votes), len(operators), len(rotations)).max(1)
    return traces.median(0).values, traces, nearest


def _refined(votes: Tensor, operators: Tensor, rotation: Tensor) -> tuple[Tensor, float]:
    """A rotation drawn to the mean of the votes near it until they stay the same."""
    near = torch.zeros(len(votes), dtype=torch.bool)
    for _ in range(_STEPS):
        _, traces, nearest = _traces(votes, operators, rotation[None])
        angles = ((traces[:, 0] - 1) / 2).clamp(-1, 1).acos()
        before, near = near, angles <= _NEAR * angles.median()
        if bool((near == before).all()):
            break
        unmated = operators[nearest[:, 0]].mT @ votes
        left, _, right = torch.linalg.svd(unmated[near].sum(0))
        left[:, 2] *= torch.linalg.det(left @ right).sign()
        rotation = left @ right
    return rotation, float(_traces(votes, operators, rotation[None])[0])
