"""Points inside and outside the particles, and the features there."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


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


def sample_points(mask: Tensor, n_points: int, generator: torch.Generator) -> MaskPoints:
    """Points drawn uniformly, with replacement, from both classes of a mask.

    Args:
        mask: (b, 1, h, w), 1 inside particles, at full resolution; may be all 0 or all 1.
        n_points: points of each class.
        generator: source of randomness, on any device.
    """
    inside = mask > 0.5
    particle = torch.stack([_draw(image[0], n_points, generator) for image in inside])
    background = torch.stack([_draw(~image[0], n_points, generator) for image in inside])
    complete = inside.flatten(1).any(1) & ~inside.flatten(1).all(1)
    return MaskPoints(particle, background, complete)


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
    index = pixels[draw]
    x, y = index % width, index // width
    return torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
