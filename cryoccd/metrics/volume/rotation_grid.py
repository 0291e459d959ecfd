"""Rotations that cover SO(3) evenly, and small turns about one.

The grid is a super-Fibonacci spiral of unit quaternions (Alexa, CVPR 2022, algorithm 1): with
s = i + 1/2, t = s / n, alpha = 2 pi s / sqrt 2, beta = 2 pi s / psi and psi^4 = psi + 4,

    q_i = (sqrt t sin alpha, sqrt t cos alpha, sqrt(1 - t) sin beta, sqrt(1 - t) cos beta) .

n cells of theta^3 each fill the volume 8 pi^2 of SO(3), in radians of turn.
"""

from math import pi, radians, sqrt

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from cryoccd.errors import check_within

_PSI = 1.533751168755204


def rotation_grid(step_deg: float) -> Tensor:
    """(n, 3, 3) float64 rotations, each about a step from its neighbours.

    Raises:
        CryoccdError: a step outside 3 to 90 degrees.
    """
    check_within("rotation grid: step_deg", step_deg, 3, 90, "degrees")
    count = round(8 * pi**2 / radians(step_deg) ** 3)
    s = np.arange(count) + 0.5
    inner, outer = np.sqrt(s / count), np.sqrt(1 - s / count)
    alpha, beta = 2 * pi * s / sqrt(2), 2 * pi * s / _PSI
    quaternions = np.stack(
        [inner * np.sin(alpha), inner * np.cos(alpha), outer * np.sin(beta), outer * np.cos(beta)],
        axis=1,
    )
    return torch.from_numpy(Rotation.from_quat(quaternions).as_matrix())


def steps_each_way(step: float) -> Tensor:
    """(27, 3) float64 of -1, 0 and 1 steps along x, y and z, none of them first."""
    steps = np.array(sorted(np.ndindex(3, 3, 3), key=lambda at: at != (1, 1, 1))) - 1
    return torch.from_numpy(steps * step)


def small_turns(step_deg: float) -> Tensor:
    """(27, 3, 3) float64 turns by -1, 0 and 1 steps about x, y and z, none of them first."""
    turns = Rotation.from_rotvec(steps_each_way(step_deg).numpy(), degrees=True)
    return torch.from_numpy(turns.as_matrix())
