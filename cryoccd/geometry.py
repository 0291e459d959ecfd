"""Conventions of rotation and position, in one place.

Angles are RELION's ZYZ (rot, tilt, psi) in degrees. The matrix A turns the object into the view:
a point c of the specimen appears at A @ c, and its image at the first two entries of that. Rows and
columns follow Euler_angles2matrix of the RELION documentation (Heymann, Chagoyen & Belnap 2005).
x runs along columns, y along rows, z towards the electron source: a particle at height z lies
further from the lens and is less under-focused, its defocus is the micrograph's minus z.
"""

import torch
from torch import Tensor


def euler_to_matrix(eulers_deg: Tensor) -> Tensor:
    """Matrices A (..., 3, 3), acting on column vectors xyz, of (..., 3) rot, tilt, psi."""
    rot, tilt, psi = torch.deg2rad(eulers_deg).unbind(-1)
    ca, sa, cb, sb = rot.cos(), rot.sin(), tilt.cos(), tilt.sin()
    cg, sg = psi.cos(), psi.sin()
    rows = [
        [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
        [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
        [sb * ca, sb * sa, cb],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def matrix_to_euler(matrix: Tensor) -> Tensor:
    """Angles (..., 3) rot, tilt, psi in degrees of matrices A; tilt in [0, 180]."""
    tilt = torch.atan2(matrix[..., 2, :2].norm(dim=-1), matrix[..., 2, 2])
    rot = torch.atan2(matrix[..., 2, 1], matrix[..., 2, 0])
    psi = torch.atan2(matrix[..., 1, 2], -matrix[..., 0, 2])
    pole = tilt.sin().abs() < 1e-6  # rot and psi turn about one axis: all of it goes to psi
    sign = matrix[..., 2, 2].sign()
    rot = torch.where(pole, torch.zeros_like(rot), rot)
    psi = torch.where(pole, torch.atan2(-sign * matrix[..., 1, 0], sign * matrix[..., 0, 0]), psi)
    return torch.rad2deg(torch.stack([rot, tilt, psi], -1))
