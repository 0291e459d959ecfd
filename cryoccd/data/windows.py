"""Square windows at random places of a micrograph."""

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


def check_window(name: str, shape_px: tuple[int, ...], side_px: int) -> None:
    """Refuse a window that is larger than the micrograph."""
    if side_px > min(shape_px[-2:]):
        raise CryoccdError(
            f"crop_px = {side_px} is larger than micrograph {name} "
            f"({shape_px[-2]} x {shape_px[-1]} px); choose a smaller crop"
        )


def random_window(
    shape_px: tuple[int, ...], side_px: tuple[int, int], rng: np.random.Generator
) -> tuple[slice, slice]:
    """Rows and columns of a window of the given sides, uniform over all that lie inside."""
    top, left = (
        int(rng.integers(full - side + 1))
        for full, side in zip(shape_px[-2:], side_px, strict=True)
    )
    return slice(top, top + side_px[0]), slice(left, left + side_px[1])


def cut(image: Tensor, window: tuple[slice, slice]) -> Tensor:
    """The window of an (h, w) image as its own (1, side, side) float32 tensor."""
    return image[window].to(torch.float32, copy=True)[None]
