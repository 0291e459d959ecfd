"""The background of a field, and its fine part: what a measure of noise alone may look at."""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.slow_field import slow_field
from cryoccd.metrics.measure import Field


def lacks_background(field: Field) -> str:
    """What a field lacks to tell background from particles; empty where nothing."""
    if field.centres_px is None:
        return "picks"
    return "the particle diameter" if field.diameter_px is None else ""


def background_of(field: Field) -> Tensor:
    """Boolean (h, w), true between the particles.

    Raises:
        CryoccdError: the field has no picks or no particle diameter.
    """
    if field.centres_px is None or field.diameter_px is None:
        raise CryoccdError(f"field: lacks {lacks_background(field)}, expected picks and diameter")
    return background_mask(field.image, field.centres_px, field.diameter_px)


def fine_part(image: Tensor, mask: Tensor, sigma_px: float) -> Tensor:
    """Image (h, w) less its Gaussian average over the mask: the noise without ice gradients.

    Args:
        image: (h, w).
        mask: boolean (h, w), true where pixels count.
        sigma_px: of the average.
    """
    weight = mask.to(torch.float32)
    centred = image - (image * weight).sum() / weight.sum().clamp_min(1)
    return centred - slow_field(centred, mask, sigma_px)
