"""A membrane as layers of projected potential on the pixels of a field."""

from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.records import Body
from cryoccd.scene.membranes.laws import Bilayer
from cryoccd.scene.membranes.profile import HEAD_SIGMA_A, bilayer_V

LAYER_A = 100.0
STEP_A = HEAD_SIGMA_A
_TABLE_A = 0.25
_FOOTPRINT_V_A = 4.0
"""Projected potential from which a pixel counts as membrane; a face seen from above has 20."""


def render(
    surface: Bilayer,
    shape_px: tuple[int, int],
    pixel_size_A: float,
    margin_A: float = 0.0,
    rotation: NDArray[np.float64] | None = None,
    pivot_A: NDArray[np.float64] | None = None,
) -> Body | None:
    """Projected potential of a bilayer; None where it lies outside the field and its margin.

    The profile is summed along z in steps of STEP_A, in layers of LAYER_A. Only the bounding box
    is drawn.

    Args:
        surface: its middle surface.
        shape_px: height and width of the field.
        pixel_size_A: pixel size.
        margin_A: how far beyond the field it is drawn.
        rotation: (3, 3) turn of the whole scene about `pivot_A`, for a tilt series.
        pivot_A: (3,) the point that stays.
    """
    turn = np.eye(3) if rotation is None else rotation
    pivot = np.zeros(3) if pivot_A is None else pivot_A
    centre = turn @ (surface.centre_A - pivot) + pivot
    reach = np.abs(turn) @ surface.reach_A if rotation is not None else surface.reach_A
    low = np.floor((centre - reach)[:2] / pixel_size_A).astype(int)
    high = np.ceil((centre + reach)[:2] / pixel_size_A).astype(int) + 1
    margin_px = ceil(margin_A / pixel_size_A)
    low = np.maximum(low, -margin_px)
    high = np.minimum(high, np.array(shape_px[::-1]) + margin_px)
    if (high <= low).any():
        return None
    x, y = (np.arange(low[axis], high[axis]) * pixel_size_A for axis in (0, 1))
    steps = max(1, ceil(2 * reach[2] / STEP_A))
    step_A = 2 * reach[2] / steps
    z = centre[2] - reach[2] + (np.arange(steps) + 0.5) * step_A
    count = max(1, round(2 * reach[2] / LAYER_A))
    grid = np.empty((len(y), len(x), 3))
    grid[..., 0], grid[..., 1] = x[None, :], y[:, None]
    cut_A = surface.thickness_A / 2 + 3 * HEAD_SIGMA_A
    table = bilayer_V(np.arange(-cut_A, cut_A + _TABLE_A, _TABLE_A), surface.thickness_A)
    layers, heights = [], []
    for part in np.array_split(z, count):
        image = np.zeros((len(y), len(x)))
        for height in part:
            grid[..., 2] = height
            own = grid if rotation is None else (grid - pivot) @ turn + pivot
            at = (surface.distance_A(own) + cut_A) / _TABLE_A
            near = (at >= 0) & (at < len(table) - 1)
            image[near] += table[(at[near] + 0.5).astype(np.int64)] * step_A
        layers.append(torch.from_numpy(image.astype(np.float32)))
        heights.append(float(part.mean()))
    potential = torch.stack(layers)
    return Body(
        kind="membrane",
        position_A=(float(centre[0]), float(centre[1]), float(centre[2])),
        top_px=int(low[1]),
        left_px=int(low[0]),
        potential_V_A=potential,
        z_A=tuple(heights),
        footprint=potential.abs().sum(0) > _FOOTPRINT_V_A,
    )
