"""Angles between poses: the full rotation, the viewing direction alone, and the turn in the plane.

With A of the truth and B of the estimate (geometry.py: a point c appears at A c),

    geodesic   the angle of A^T B, by atan2(|sin|, cos) of its skew part and its trace, which keeps
               all digits near 0 and near 180 degrees, where the arc cosine loses half of them
    view       between the third rows of A and B, the beam in the frame of the object
    in plane   the twist about the beam of B A^T = swing x twist, cos(geodesic / 2) =
               cos(view / 2) cos(in plane / 2)

An object of group G looks the same from A and from A g, so that the first two are the least over
the mates, each on its own, and the third is that of the mate that is nearest in geodesic.

The view angle alone, as published pose metrics have it, is blind to any turn in the plane.
"""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError

_ORTHONORMAL = 1e-3  # largest entry of A A^T - 1: float32 and a table of few digits pass


def geodesic_deg(a: Tensor, b: Tensor, symmetry: Tensor | None = None) -> Tensor:
    """Angle of the rotation from a to b or to a mate of b.

    Args:
        a: (n, 3, 3) rotations, object to view.
        b: (n, 3, 3) the same.
        symmetry: (g, 3, 3) operators of the point group, the identity among them; none by default.

    Returns:
        (n,) float64 degrees in [0, 180].
    """
    return rotation_angle_deg(a.double().mT @ nearest_mate(a, b, symmetry))


def view_angle_deg(a: Tensor, b: Tensor, symmetry: Tensor | None = None) -> Tensor:
    """Angle between the viewing directions, in the object's frame.

    Args:
        a: (n, 3, 3) rotations, object to view.
        b: (n, 3, 3) the same.
        symmetry: (g, 3, 3) operators of the point group.

    Returns:
        (n,) float64 degrees in [0, 180], the least over the mates of b.
    """
    beam = a.double()[:, 2]
    mates = torch.einsum("ni,gij->ngj", b.double()[:, 2], _operators(symmetry))
    best = (mates @ beam[..., None]).squeeze(-1).argmax(1)
    mate = mates[torch.arange(len(b)), best]
    sine = torch.linalg.cross(beam, mate).norm(dim=-1)
    return torch.rad2deg(torch.atan2(sine, (beam * mate).sum(-1)))


def in_plane_deg(a: Tensor, b: Tensor, symmetry: Tensor | None = None) -> Tensor:
    """Turn about the beam that is left when the directions are brought together the short way.

    Args:
        a: (n, 3, 3) rotations, object to view.
        b: (n, 3, 3) the same.
        symmetry: (g, 3, 3) operators of the point group.

    Returns:
        (n,) float64 degrees in [0, 180]; without meaning where the directions are opposite.
    """
    turn = nearest_mate(a, b, symmetry) @ a.double().mT
    sine, cosine = turn[:, 1, 0] - turn[:, 0, 1], turn[:, 0, 0] + turn[:, 1, 1]
    return torch.rad2deg(torch.atan2(sine.abs(), cosine))


def nearest_mate(a: Tensor, b: Tensor, symmetry: Tensor | None = None) -> Tensor:
    """(n, 3, 3) float64: of all b g, the one at the least angle from a."""
    operators, a, b = _operators(symmetry), a.double(), b.double()
    # trace(A^T B g) = sum (A^T B) * g^T grows as the angle falls
    traces = (a.mT @ b).flatten(1) @ operators.mT.flatten(1).T
    return b @ operators[traces.argmax(1)]


def rotation_angle_deg(rotation: Tensor) -> Tensor:
    """(n,) angles in [0, 180] of (n, 3, 3) rotations."""
    skew = rotation - rotation.mT
    axis = torch.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], dim=-1)  # 2 sin(angle) axis
    trace = rotation.diagonal(dim1=-2, dim2=-1).sum(-1)  # 2 cos(angle) + 1
    return torch.rad2deg(torch.atan2(axis.norm(dim=-1), trace - 1))


def check_rotations(name: str, matrices: Tensor) -> None:
    """Refuse what is not (n, 3, 3) proper rotations.

    Raises:
        CryoccdError: with their name and how many are not.
    """
    if matrices.ndim != 3 or matrices.shape[1:] != (3, 3) or len(matrices) == 0:
        raise CryoccdError(f"{name}: shape {tuple(matrices.shape)}, expected (n, 3, 3), n >= 1")
    matrices = matrices.double()
    apart = (matrices @ matrices.mT - torch.eye(3, dtype=torch.float64)).abs().amax((1, 2))
    good = (apart < _ORTHONORMAL) & (torch.linalg.det(matrices) > 0)  # NaN is not below either
    if not bool(good.all()):
        raise CryoccdError(
            f"{name}: {int((~good).sum())} of {len(good)} matrices are no rotations (orthonormal, "
            "determinant +1); bring them to SO(3) first"
        )


def _operators(symmetry: Tensor | None) -> Tensor:
    identity = torch.eye(3, dtype=torch.float64)[None]
    return identity if symmetry is None else symmetry.double()
