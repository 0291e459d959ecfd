"""Views that cover all orientations of a symmetric object.

Directions are the points of a Fibonacci lattice (Gonzalez 2010, Math Geosci 42, 49), each with all
turns in the plane. Of the directions those in the asymmetric unit of the point group are kept,
the cell of points nearer to one direction h than to any of its copies g h, with a border of one
step: the view next to one at the edge of the cell may lie outside it.
"""

from math import pi, radians, sin

import torch
from torch import Tensor

from cryoccd.errors import check_within
from cryoccd.geometry import euler_to_matrix
from cryoccd.specimen.symmetry import point_group

_GOLDEN = (1 + 5**0.5) / 2
_HEART = torch.tensor([0.182, 0.098, 1.0], dtype=torch.float64)  # on no axis of any setting


def view_grid(symmetry: str, step_deg: float) -> Tensor:
    """(n, 3, 3) float64 rotations, object to view, no view further than about a step from one.

    Args:
        symmetry: point group; C1 gives the whole sphere.
        step_deg: of the directions and of the turns in the plane.

    Raises:
        CryoccdError: an unknown group, or a step outside 1 to 45 degrees.
    """
    check_within("view grid: step_deg", step_deg, 1, 45, "degrees")
    step = radians(step_deg)
    count = round(4 * pi / step**2)
    index = torch.arange(count, dtype=torch.float64)
    z = 1 - (2 * index + 1) / count
    rot = 2 * pi * torch.remainder(index / _GOLDEN, 1)
    flat = (1 - z**2).sqrt()
    directions = torch.stack([flat * rot.cos(), flat * rot.sin(), z], dim=1)
    copies = torch.from_numpy(point_group(symmetry))[1:] @ _HEART
    walls = _HEART - copies  # the mirror plane between h and g h
    kept = (directions @ (walls / walls.norm(dim=1, keepdim=True)).T >= -sin(step)).all(1)
    turns = torch.arange(round(2 * pi / step), dtype=torch.float64) * 360 / round(2 * pi / step)
    rot_tilt = torch.rad2deg(torch.stack([rot, z.acos()], dim=1))[kept]
    eulers_deg = torch.cat(
        [rot_tilt.repeat_interleave(len(turns), 0), turns.repeat(len(rot_tilt))[:, None]], dim=1
    )
    return euler_to_matrix(eulers_deg)
