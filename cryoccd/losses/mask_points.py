"""Points of the images, inside and outside the particles or anywhere, and the features there.

Each image draws from a generator of its own: its points do not depend on the batch it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class MaskPoints:
    """n points of each class for each of b images, normalised to [-1, 1] as (x, y).

    -1 and 1 are the outer edges of the image, so that one point means the same place at every
    resolution of a pyramid of stride-2 convolutions (the public code pins the centres of the
    corner pixels instead, which drifts by up to half a pixel of the coarse level).

    Args:
        particle: (b, n, 2) points inside particles; without meaning where the mask has none.
        background: (b, n, 2) points outside; without meaning where the mask has none.
        complete: (b,) bool, whether the image has both classes.
    """

    particle: Tensor
    background: Tensor
    complete: Tensor


def sample_points(mask: Tensor, n_points: int, generators: Sequence[torch.Generator]) -> MaskPoints:
    """Points drawn uniformly, with replacement, from both classes of a mask.

    Args:
        mask: (b, 1, h, w), 1 inside particles, at full resolution; may be all 0 or all 1.
        n_points: points of each class.
        generators: source of randomness of each image, on any device.
    """
    inside = mask > 0.5
    particle, background = [], []
    for (image,), generator in zip(inside, generators, strict=True):
        particle.append(_draw(image, n_points, generator))
        background.append(_draw(~image, n_points, generator))
    complete = inside.flatten(1).any(1) & ~inside.flatten(1).all(1)
    return MaskPoints(torch.stack(particle), torch.stack(background), complete)


def draw_points(features: Tensor, n_points: int, generators: Sequence[torch.Generator]) -> Tensor:
    """Points (b, n_points, 2) drawn uniformly from whole images, as (x, y) in [-1, 1].

    They are centres of pixels of the given level, none twice: a point drawn twice would be its own
    negative. CUT draws anew for each level, the same points for all images of a batch.

    Args:
        features: (b, c, h, w), the level to draw for; only its shape and device matter.
        n_points: points of each image.
        generators: source of randomness of each image, on any device.

    Raises:
        CryoccdError: the level has fewer pixels than that.
    """
    height, width = features.shape[-2:]
    if n_points > height * width:
        raise CryoccdError(
            f"n_points = {n_points}, but a feature level has {height} x {width} pixels; lower "
            "n_points or take larger crops"
        )
    drawn = [
        torch.randperm(height * width, generator=generator, device=generator.device)[:n_points]
        for _, generator in zip(features, generators, strict=True)
    ]
    index = torch.stack([pixels.to(features.device) for pixels in drawn])
    return _centres(index, height, width)


def features_at(features: Tensor, points: Tensor, mode: str) -> Tensor:
    """(b, n, c) values of (b, c, h, w) features at (b, n, 2) points; mode bilinear or nearest."""
    sampled = functional.grid_sample(
        features, points[:, None], mode=mode, padding_mode="border", align_corners=False
    )
    return sampled[:, :, 0].transpose(1, 2)


def _draw(chosen: Tensor, n_points: int, generator: torch.Generator) -> Tensor:
    height, width = chosen.shape
    pixels = chosen.flatten().nonzero()[:, 0]
    if len(pixels) == 0:
        return torch.zeros(n_points, 2, device=chosen.device)
    draw = torch.randint(len(pixels), (n_points,), generator=generator, device=generator.device).to(
        chosen.device
    )
    return _centres(pixels[draw], height, width)


def _centres(index: Tensor, height: int, width: int) -> Tensor:
    """(..., 2) normalised centres of the pixels with these row-major indices (...)."""
    x, y = index % width, index // width
    return torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
