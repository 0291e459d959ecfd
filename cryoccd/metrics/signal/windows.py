"""The pixels about each particle, as indices into the flat image."""

import torch
from torch import Tensor


def disc_offsets(diameter_px: float) -> Tensor:
    """(m, 2) steps y, x to the pixels of a disc."""
    steps = square_offsets(int(diameter_px / 2))
    return steps[steps.square().sum(1) <= (diameter_px / 2) ** 2]


def square_offsets(reach_px: int) -> Tensor:
    """((2 reach + 1)^2, 2) steps y, x to the pixels of a square, row by row."""
    axis = torch.arange(-reach_px, reach_px + 1)
    return torch.cartesian_prod(axis, axis)


def whole_windows(shape_px: tuple[int, int], centres_px: Tensor, offsets: Tensor) -> Tensor:
    """(n, m) indices of the windows that lie wholly inside, about centres rounded to pixels.

    Args:
        shape_px: height and width of the image.
        centres_px: (n, 2) x, y; those whose window leaves the image drop out.
        offsets: (m, 2) steps y, x.
    """
    height, width = shape_px
    x, y = centres_px.reshape(-1, 2).round().long().unbind(1)
    reach = int(offsets.abs().max())
    whole = (x >= reach) & (x < width - reach) & (y >= reach) & (y < height - reach)
    steps = offsets[:, 0] * width + offsets[:, 1]
    return (y[whole] * width + x[whole])[:, None] + steps[None, :]
