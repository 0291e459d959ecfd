"""Micrographs as the metrics see them, and the crops taken from them.

Every micrograph stands at median 0 and MAD * 1.4826 = 1, so no metric depends on gain or offset.
Values are cut at +-10 of these units: a hot pixel then weighs no more than any other outlier, and
nothing that ice, protein or shot noise does comes near.
"""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.normalise import robust_normalise
from cryoccd.randomness import item_seed

VALUE_LIMIT = 10.0


def normalised(image: Tensor, name: str = "image") -> Tensor:
    """(h, w) float32 image with median 0, scaled MAD 1, cut at +-VALUE_LIMIT."""
    return robust_normalise(image.to(torch.float32), name).clamp(-VALUE_LIMIT, VALUE_LIMIT)


def take_crops(image: Tensor, crop_px: int, count: int, seed: int) -> Tensor:
    """(count, crop_px, crop_px) crops that do not overlap, from a seeded choice of grid cells.

    The choice depends on the seed and the shape alone, so no order of micrographs changes it.

    Raises:
        CryoccdError: the image has fewer cells than `count`.
    """
    height, width = (int(side) for side in image.shape)
    rows, columns = height // crop_px, width // crop_px
    if rows * columns < count:
        raise CryoccdError(
            f"crops: {height} x {width} px holds {rows * columns} of {crop_px} px, expected "
            f"{count}; lower the crop size or the crops per micrograph"
        )
    generator = torch.Generator().manual_seed(item_seed(seed, height, width))
    top = int(torch.randint(height - rows * crop_px + 1, (), generator=generator))
    left = int(torch.randint(width - columns * crop_px + 1, (), generator=generator))
    cells = torch.randperm(rows * columns, generator=generator)[:count].tolist()
    corners = [(top + cell // columns * crop_px, left + cell % columns * crop_px) for cell in cells]
    return torch.stack([image[y : y + crop_px, x : x + crop_px] for y, x in corners])
