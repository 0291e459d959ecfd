"""Discs at particle centres: the one mask that real and synthetic micrographs have in common."""

import torch
from torch import Tensor


def disc_mask(shape_px: tuple[int, int], centres_px: Tensor, radius_px: float) -> Tensor:
    """Boolean (h, w), true within radius_px of any centre.

    Args:
        shape_px: height and width.
        centres_px: (n, 2) x, y from the centre of pixel [0, 0]; n may be 0.
        radius_px: radius in pixels.
    """
    height, width = shape_px
    mask = torch.zeros(shape_px, dtype=torch.bool)
    reach = int(radius_px) + 2
    for x, y in centres_px.tolist():
        top, left = max(0, round(y) - reach), max(0, round(x) - reach)
        bottom, right = min(height, round(y) + reach + 1), min(width, round(x) + reach + 1)
        if top >= bottom or left >= right:
            continue
        rows = torch.arange(top, bottom, dtype=torch.float64)[:, None] - y
        columns = torch.arange(left, right, dtype=torch.float64)[None, :] - x
        mask[top:bottom, left:right] |= rows**2 + columns**2 <= radius_px**2
    return mask
