"""The template of a matched filter: the rotational average of the mean particle."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError

_REACH = 0.75  # half the template, in diameters: further out the neighbours begin
_TAPER = 0.6  # where its edge begins to fall


def round_template(
    fields: Sequence[Tensor], centres_px: Sequence[Tensor], diameter_px: float
) -> Tensor:
    """(side, side) float64 mean particle, side odd, level of its rim 0, dark = negative.

    Args:
        fields: (h, w) micrographs on one scale.
        centres_px: (n, 2) picks x, y of each.
        diameter_px: particle diameter.

    Raises:
        CryoccdError: no particle clear of the borders.
    """
    reach = round(_REACH * diameter_px)
    boxes = torch.cat([_boxes(x, c, reach) for x, c in zip(fields, centres_px, strict=True)])
    if not len(boxes):
        raise CryoccdError(
            f"picks: none is {reach} px or more from the borders; give more training picks"
        )
    return _rounded(boxes.mean(0), diameter_px)


def _boxes(image: Tensor, centres_px: Tensor, reach: int) -> Tensor:
    """(m, side, side) boxes about the picks that lie wholly inside."""
    height, width = image.shape
    corners = [
        (y - reach, x - reach)
        for x, y in centres_px.round().long().tolist()
        if reach <= x < width - reach and reach <= y < height - reach
    ]
    side = 2 * reach + 1
    boxes = [image[y : y + side, x : x + side] for y, x in corners]
    return torch.stack(boxes) if boxes else torch.zeros(0, side, side)


def _rounded(mean: Tensor, diameter_px: float) -> Tensor:
    """Rotational average of a box, level of its rim 0, falling smoothly to 0 at the rim."""
    reach = int(mean.shape[0]) // 2
    axis = torch.arange(-reach, reach + 1, dtype=torch.float64)
    radius = torch.hypot(axis[:, None], axis[None, :])
    ring = radius.round().long()
    count = torch.bincount(ring.flatten())
    profile = torch.bincount(ring.flatten(), mean.to(torch.float64).flatten()) / count
    start = _TAPER * diameter_px
    profile = profile - profile[round(start) : reach + 1].mean()
    below = radius.floor().long().clamp_max(len(profile) - 2)
    smooth = torch.lerp(profile[below], profile[below + 1], radius - below)
    fall = ((radius - start) / (reach - start)).clamp(0, 1)
    return smooth * (0.5 + 0.5 * torch.cos(torch.pi * fall))
