"""Mirror padding to a larger size, at the bottom and the right."""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


def reflect_pad(image: Tensor, height: int, width: int) -> Tensor:
    """(..., height, width) of (..., h, w): the image at [0, 0], mirrored beyond its last pixel.

    Unlike torch's reflect mode it may pad by more than the image's own size.

    Raises:
        CryoccdError: the target is smaller than the image.
    """
    h, w = image.shape[-2:]
    if height < h or width < w:
        raise CryoccdError(f"reflect pad: target {height} x {width} is below the image {h} x {w}")
    if height > h:
        image = image.index_select(-2, _mirror(h, height, image.device))
    if width > w:
        image = image.index_select(-1, _mirror(w, width, image.device))
    return image


def _mirror(size: int, target: int, device: torch.device) -> Tensor:
    """Indices 0, 1, .. size-1, size-2, .. 0, 1, ..: a triangle wave that repeats no edge pixel."""
    period = max(2 * (size - 1), 1)
    index = torch.arange(target, device=device) % period
    return torch.minimum(index, period - index).clamp(max=size - 1)
