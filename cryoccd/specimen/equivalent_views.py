"""Views that a symmetric specimen cannot tell apart.

A point c of the map appears at A c (geometry.py), and a specimen of group G looks the same from A
and from A g for every g of G. View directions v = A^T z of equivalent views are g^T v: one of them
lies in the asymmetric unit, here the Voronoi cell of a direction without symmetry.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.geometry import euler_to_matrix, matrix_to_euler
from cryoccd.specimen.symmetry import point_group

_HEART = np.array([0.182, 0.098, 1.0])  # near z and on no axis or mirror of any setting


def rotation_distance_deg(first_deg: Tensor, second_deg: Tensor, symmetry: str = "C1") -> Tensor:
    """Least angle of a rotation that brings one view to the other or to one equivalent to it.

    Args:
        first_deg: (..., 3) rot, tilt, psi.
        second_deg: (..., 3) the same, broadcast against the first.
        symmetry: point group.

    Returns:
        (...) degrees in [0, 180].
    """
    operators = torch.from_numpy(point_group(symmetry))
    first = euler_to_matrix(first_deg.double())[..., None, :, :] @ operators
    second = euler_to_matrix(second_deg.double())[..., None, :, :]
    # |A - B|_F = 2 sqrt(2) |sin(angle / 2)|, well conditioned where the trace is not
    half_sine = (first - second).flatten(-2).norm(dim=-1) / 8**0.5
    return torch.rad2deg(2 * torch.asin(half_sine.clamp(max=1))).amin(-1)


def reduce_to_asymmetric_unit(
    eulers_deg: NDArray[np.float64], symmetry: str
) -> NDArray[np.float64]:
    """The representative of each view whose direction lies in the asymmetric unit.

    Args:
        eulers_deg: (n, 3) rot, tilt, psi.
        symmetry: point group.

    Returns:
        (n, 3) rot, tilt, psi; equivalent views give the same one.
    """
    operators = point_group(symmetry)
    matrices = euler_to_matrix(torch.from_numpy(eulers_deg).double()).numpy()
    views = np.einsum("gji,nj->ngi", operators, matrices[:, 2, :])  # g^T v
    nearest = (views @ _HEART).argmax(axis=1)
    chosen = matrices @ operators[nearest]
    return matrix_to_euler(torch.from_numpy(chosen)).numpy()


def uniform_asymmetric_unit(
    n: int, symmetry: str, generator: np.random.Generator
) -> NDArray[np.float64]:
    """(n, 3) views uniform on SO(3) modulo the group, directions in the asymmetric unit."""
    rot, psi = generator.uniform(-180.0, 180.0, (2, n))
    tilt = np.rad2deg(np.arccos(generator.uniform(-1.0, 1.0, n)))
    return reduce_to_asymmetric_unit(np.stack([rot, tilt, psi], axis=1), symmetry)
