"""A membrane as layers of projected potential on the pixels of a field.

The potential is a function of the distance from the middle surface, summed along z. The distance
changes by no more than the way gone, so that whole blocks of pixels and heights can be left out;
and it is smooth, so that inside a block it is the quadratic polynomial through three nodes an axis,
one matrix product for all its points. The profile is blurred by half a pixel and sampled in steps
of no more than its standard deviation, so that the sum keeps its integral.
"""

from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.records import Body
from cryoccd.scene.field import Points
from cryoccd.scene.membranes.laws import Bilayer
from cryoccd.scene.membranes.profile import HEAD_SIGMA_A, bilayer_V

LAYER_A = 100.0
_SLAB_A = LAYER_A / 3  # height of a block
_BLOCK_PX = 8
_BLOCKS_AT_ONCE = 2048
_TABLE_A = 0.02


def render(
    surface: Bilayer,
    shape_px: tuple[int, int],
    pixel_size_A: float,
    margin_A: float = 0.0,
    rotation: NDArray[np.float64] | None = None,
    pivot_A: NDArray[np.float64] | None = None,
) -> Body | None:
    """Projected potential of a bilayer; None where it lies outside the field and its margin.

    Only its bounding box is drawn, in layers of LAYER_A. The footprint is where the line of sight
    crosses the bilayer.

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
    brush = _Brush.of(surface, pixel_size_A)
    centre = turn @ (surface.centre_A - pivot) + pivot
    reach = np.abs(turn) @ surface.reach_A + 2 * pixel_size_A
    margin_px = ceil(margin_A / pixel_size_A)
    low = np.floor((centre - reach)[:2] / pixel_size_A).astype(int)
    high = np.ceil((centre + reach)[:2] / pixel_size_A).astype(int) + 1
    low = np.maximum(low, -margin_px)
    high = np.minimum(high, np.array(shape_px[::-1]) + margin_px)
    if (high <= low).any():
        return None
    across, down = (int(n) for n in -(-(high - low) // _BLOCK_PX))
    layers = ceil(2 * reach[2] / LAYER_A)
    bottom_A = centre[2] - layers * LAYER_A / 2

    first = (low + (_BLOCK_PX - 1) / 2) * pixel_size_A
    x, y = (first[i] + np.arange(n) * _BLOCK_PX * pixel_size_A for i, n in ((0, across), (1, down)))
    middles = np.column_stack([np.tile(x, down), np.repeat(y, across), np.zeros(down * across)])
    images = torch.zeros(layers, len(middles), _BLOCK_PX**2)
    crossed = torch.zeros(len(middles), _BLOCK_PX**2, dtype=torch.bool)
    for slab in range(3 * layers):
        middles[:, 2] = bottom_A + (slab + 0.5) * _SLAB_A
        points_A = (middles - pivot) @ turn + pivot
        for chosen in brush.near(points_A):
            drawn, inside = brush.paint(points_A[chosen], turn)
            index = torch.from_numpy(chosen)
            images[slab // 3].index_add_(0, index, drawn)
            crossed[index] |= inside
    rows, columns = (int(n) for n in (high - low)[::-1])
    return Body(
        kind="membrane",
        position_A=(float(centre[0]), float(centre[1]), float(centre[2])),
        top_px=int(low[1]),
        left_px=int(low[0]),
        potential_V_A=_joined(images, down)[:, :rows, :columns].contiguous(),
        z_A=tuple(float(bottom_A + (index + 0.5) * LAYER_A) for index in range(layers)),
        footprint=_joined(crossed[None], down)[0, :rows, :columns].contiguous(),
    )


@dataclass(frozen=True)
class _Brush:
    """Draws a bilayer in blocks of 8 x 8 pixels and SLAB_A."""

    surface: Bilayer
    pixel_size_A: float
    nodes_A: Points  # (27, 3) from the middle of a block
    weights: Tensor  # (27, heights * 64) of the polynomial
    step_A: float
    table: Tensor  # potential at multiples of _TABLE_A, 0 at the last

    @staticmethod
    def of(surface: Bilayer, pixel_size_A: float) -> "_Brush":
        blur_A = pixel_size_A / 2
        width_A = float(np.hypot(HEAD_SIGMA_A, blur_A))
        heights = ceil(_SLAB_A / width_A)
        half_A = np.array([_BLOCK_PX * pixel_size_A, _BLOCK_PX * pixel_size_A, _SLAB_A]) / 2
        in_plane = _quadratic((np.arange(_BLOCK_PX) + 0.5) / _BLOCK_PX * 2 - 1)
        upward = _quadratic((np.arange(heights) + 0.5) / heights * 2 - 1)
        weights = np.einsum("ax,by,cz->abczyx", in_plane, in_plane, upward).reshape(27, -1)
        distance_A = np.arange(0, surface.thickness_A / 2 + 4 * width_A, _TABLE_A)
        table = bilayer_V(distance_A, surface.thickness_A, blur_A)
        table[-1] = 0.0
        return _Brush(
            surface,
            pixel_size_A,
            nodes_A=np.array(list(product((-1.0, 0.0, 1.0), repeat=3))) * half_A,
            weights=torch.from_numpy(weights).float(),
            step_A=_SLAB_A / heights,
            table=torch.from_numpy(table).float(),
        )

    def near(self, middles_A: Points) -> list[NDArray[np.int64]]:
        """Indices of the blocks with (n, 3) middles that the bilayer can reach, in portions."""
        reach_A = len(self.table) * _TABLE_A + float(np.linalg.norm(self.nodes_A[0]))
        near = np.abs(self.surface.side_A(middles_A)) < reach_A
        rim_A = self.surface.rim_A(middles_A)
        if rim_A is not None:
            near &= rim_A > -reach_A
        chosen = np.flatnonzero(near)
        return np.array_split(chosen, ceil(len(chosen) / _BLOCKS_AT_ONCE)) if len(chosen) else []

    def paint(self, middles_A: Points, turn: Points) -> tuple[Tensor, Tensor]:
        """(n, 64) potential projected through n blocks, and whether they show the bilayer."""
        nodes_A = (middles_A[:, None] + self.nodes_A @ turn).reshape(-1, 3)
        distance_A = self._filled(self.surface.side_A(nodes_A)).abs_()
        index = distance_A.div(_TABLE_A).add_(0.5).clamp_(max=len(self.table) - 1).int()
        potential = self.table[index]
        inside = distance_A <= self.surface.thickness_A / 2
        rim_A = self.surface.rim_A(nodes_A)
        if rim_A is not None:
            share = self._filled(rim_A).div_(self.pixel_size_A).add_(0.5).clamp_(0, 1)
            potential, inside = potential * share, inside & (share >= 0.5)
        return potential.sum(1) * self.step_A, inside.any(1)

    def _filled(self, at_nodes: NDArray[np.float64]) -> Tensor:
        """(n, heights, 64) values of a smooth function known at the nodes."""
        values = torch.from_numpy(at_nodes).float().view(-1, 27) @ self.weights
        return values.view(len(values), -1, _BLOCK_PX**2)


def _quadratic(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, n) weights of the values at -1, 0 and 1."""
    return np.stack([at * (at - 1) / 2, 1 - at**2, at * (at + 1) / 2])


def _joined(blocks: Tensor, down: int) -> Tensor:
    """(m, 8 down, 8 across) images of their (m, down * across, 64) blocks."""
    tiles = blocks.view(len(blocks), down, -1, _BLOCK_PX, _BLOCK_PX).transpose(2, 3)
    return tiles.reshape(len(blocks), down * _BLOCK_PX, -1)
