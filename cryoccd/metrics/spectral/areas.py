"""The areas of a micrograph that have figures of their own."""

from typing import Literal

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.measure import Field
from cryoccd.metrics.noise.between_particles import background_of, lacks_background
from cryoccd.metrics.spectral.spectrum import particle_mask

Area = Literal["background", "particle", "whole"]


def area_lacks(field: Field, area: Area) -> str:
    """What a micrograph lacks for an area: nothing for the whole, else what tells particles."""
    return "" if area == "whole" else lacks_background(field)


def area_mask(field: Field, area: Area) -> Tensor:
    """Boolean (h, w), true in the area.

    Args:
        field: the micrograph.
        area: "background", outside discs of 1.2 diameters; "particle", inside discs of one
            diameter; "whole", everywhere.

    Raises:
        CryoccdError: picks or the particle diameter are missing, and the area is not the whole.
    """
    if area == "whole":
        return torch.ones(field.image.shape, dtype=torch.bool)
    if area == "background":
        return background_of(field)
    if field.centres_px is None or field.diameter_px is None:
        raise CryoccdError(
            f"field: lacks {area_lacks(field, area)}, expected it for the area {area}; "
            "give it, or take the area whole"
        )
    return particle_mask(field.image, field.centres_px, field.diameter_px)
