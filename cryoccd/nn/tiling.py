"""Micrographs of any size through a network that takes only so much at once.

Neighbouring tiles overlap; in the middle of the overlap a raised cosine hands over from one to the
other, and the outer quarter of it, which saw the zero padding of the network's convolutions, is
dropped. A cross-fade of two *independent* textures would lower the variance by up to a half along
every seam: therefore whatever noise the network takes must be drawn once for the whole micrograph
and be among `inputs`, so that both tiles see the same noise and give nearly the same texture.
"""

from collections.abc import Callable
from math import ceil, pi

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.nn.reflect_pad import reflect_pad


def translate_tiled(
    function: Callable[[Tensor], Tensor],
    inputs: Tensor,
    tile_px: int,
    overlap_px: int,
    align_px: int = 1,
) -> Tensor:
    """`function` of a whole micrograph, in one pass where it fits into a tile, else by tiles.

    All tiles of one micrograph have one size, and start at multiples of align_px: a network of
    stride 2^n is equivariant only to such shifts. The bottom and right are mirror-padded to fit.

    Args:
        function: (b, c, h, w) to (b, c', h, w), for instance a generator.
        inputs: (b, c, H, W) with every field the function needs as a channel.
        tile_px: largest side that is passed in one go.
        overlap_px: least overlap of two tiles, at most half a tile.
        align_px: grid of the tiles' origins; tile_px and overlap_px are multiples of it.

    Returns:
        (b, c', H, W); identical to function(inputs) where H and W are at most tile_px.

    Raises:
        CryoccdError: sizes that do not fit together.
    """
    check_tiles(tile_px, overlap_px, align_px)
    height, width = inputs.shape[-2:]
    if height <= tile_px and width <= tile_px:
        return function(inputs)
    rows = _cut(height, tile_px, overlap_px, align_px)
    cols = _cut(width, tile_px, overlap_px, align_px)
    padded = reflect_pad(inputs, _end(rows), _end(cols))
    blended: Tensor | None = None
    for top, row_weights in rows:
        for left, col_weights in cols:
            window = (..., slice(top, top + len(row_weights)), slice(left, left + len(col_weights)))
            tile = function(padded[window])
            if blended is None:
                blended = tile.new_zeros(*tile.shape[:2], *padded.shape[2:])
            blended[window] += torch.outer(row_weights, col_weights).to(tile) * tile
    assert blended is not None  # each axis has a tile
    return blended[..., :height, :width]


def check_tiles(tile_px: int, overlap_px: int, align_px: int = 1) -> None:
    """Refuse sizes that do not fit together, for callers that take them long before they tile.

    Raises:
        CryoccdError: overlap_px is not within 1 .. tile_px / 2, or align_px divides not both.
    """
    if not 0 < 2 * overlap_px <= tile_px or tile_px % align_px or overlap_px % align_px:
        raise CryoccdError(
            f"tiling: tile_px = {tile_px}, overlap_px = {overlap_px}; expected 0 < overlap_px <= "
            f"tile_px / 2, both multiples of {align_px}"
        )


def _cut(side: int, tile_px: int, overlap_px: int, align_px: int) -> list[tuple[int, Tensor]]:
    """Origin and weights (tile,) of the tiles along one side; weights sum to 1 at each pixel."""
    if side <= tile_px:
        return [(0, torch.ones(side))]
    count = ceil((side - tile_px) / (tile_px - overlap_px)) + 1
    step = align_px * ceil((side - tile_px) / ((count - 1) * align_px))
    # the hand-over is half the least overlap wide and in the middle of the true one, tile - step:
    # so no pixel ever sees more than two tiles, however much they overlap
    from_middle = torch.arange(tile_px) + 0.5 - (tile_px - step) / 2
    fade_in = 0.5 - 0.5 * torch.cos(pi * (2 * from_middle / overlap_px + 0.5).clamp(0, 1))
    tiles = []
    for i in range(count):
        entering = fade_in if i > 0 else torch.ones(tile_px)
        leaving = fade_in.flip(0) if i < count - 1 else torch.ones(tile_px)
        tiles.append((i * step, entering * leaving))
    return tiles


def _end(tiles: list[tuple[int, Tensor]]) -> int:
    origin, weights = tiles[-1]
    return origin + len(weights)
