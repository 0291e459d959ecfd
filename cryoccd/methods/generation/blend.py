r"""Boxes in a background without seams.

With θ from 0 within a particle's core (its radius and a margin) to π/2 at the rim and beyond, a box
b_i counts by cot θ_i beside a background F that counts 1:

    V = (F + sum_i cot θ_i b_i) / sqrt(1 + sum_i cot² θ_i)

For one box that is F sin θ + b cos θ, the blend F sqrt(1 − w²) + b w with w = cos θ. The squares of
the shares sum to 1, so boxes and background of one variance give that variance; and as θ goes
linearly with the radius, two voxels correlate as those of the background do but for a factor
cos(θ − θ'). A core is never covered by another box's rim, cores that overlap share, and the order
of the boxes does not matter.
"""

from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.verify.tomograms.cubes import distance

_CORE = 1e-3  # of θ within the core, where the background then is a thousandth
LEAST_RIM = 3.0
"""Voxels of a rim; a core is cut short where a box has no room for it."""


def shares(side: int, radius_px: float, margin_px: float, rim_px: float) -> Tensor:
    """(side, side, side) float32 cot θ of a box about voxel side // 2.

    Args:
        side: of the box.
        radius_px: of the particle.
        margin_px: about it that is the box's alone.
        rim_px: over which the box ends, at its inscribed sphere at last.
    """
    core_px = min(radius_px + margin_px, side / 2 - LEAST_RIM)
    outer_px = min(core_px + max(rim_px, LEAST_RIM), side / 2)
    theta = (distance(side) - core_px) / (outer_px - core_px) * (pi / 2)
    return torch.where(theta < pi / 2, 1 / theta.clamp(_CORE, pi / 2).tan(), 0.0)


class Blend:
    """A tomogram that grows by one box after the other.

    Args:
        background: (d, h, w) float32 field of mean 0; it is used up.
    """

    def __init__(self, background: Tensor) -> None:
        self._sum = background
        self._squares = torch.ones_like(background)

    def add(self, box: Tensor, shares: Tensor, centre_px: NDArray[np.int64]) -> None:
        """Put a box in; what lies outside the tomogram is left out.

        Args:
            box: (b, b, b) in the units of the background.
            shares: (b, b, b) cot θ.
            centre_px: (3,) voxel x, y, z of the tomogram at which voxel b // 2 lies.
        """
        side = int(box.shape[0])
        corner = np.asarray(centre_px)[::-1] - side // 2
        ends = np.minimum(corner + side, self._sum.shape)
        low = np.maximum(corner, 0)
        if (low >= ends).any():
            return
        there = tuple(slice(int(a), int(b)) for a, b in zip(low, ends, strict=True))
        here = tuple(
            slice(int(a), int(b)) for a, b in zip(low - corner, ends - corner, strict=True)
        )
        self._sum[there] += shares[here] * box[here]
        self._squares[there] += shares[here].square()

    def volume(self) -> Tensor:
        """(d, h, w) the tomogram."""
        return self._sum / self._squares.sqrt()
