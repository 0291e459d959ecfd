"""A small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) for heat maps.

Four scales, two convolutions 3x3 at each on the way down and up, GroupNorm (Wu & He 2018,
arXiv:1803.08494) as batches are small, ReLU. Means halve, nearest neighbours double: no operation
of it is random on a GPU, as the gradients of bilinear ones are, and in noise means learn faster
than strides or maxima. The coarsest scale sees the neighbours of a particle too, as the packing
tells where there is room. Most of the time is spent at full size, so its channels are few.
"""

from itertools import pairwise
from math import log

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pad

WIDTHS = (12, 24, 48, 72)
"""Channels of the scales: 0.2 M parameters."""

_GROUP = 6  # channels of a group
_PRIOR = 0.05  # heat at the start (Lin et al. 2017, arXiv:1708.02002, section 3.3)


class HeatMapNet(nn.Module):
    """Image to logits of a heat map, (b, 1, h, w) to (b, 1, h, w), for any h and w."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = _two(1, WIDTHS[0])
        self.down = nn.ModuleList(_two(fine, coarse) for fine, coarse in pairwise(WIDTHS))
        self.up = nn.ModuleList(_two(coarse + fine, fine) for fine, coarse in pairwise(WIDTHS))
        self.head = nn.Conv2d(WIDTHS[0], 1, 1)
        nn.init.constant_(self.head.bias, log(_PRIOR / (1 - _PRIOR)))  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """Logits; a side that is no multiple of 8 is continued by its last pixels inside."""
        height, width = images.shape[-2:]
        align = 2 ** len(self.down)
        padded = pad(images, (0, -width % align, 0, -height % align), mode="replicate")
        scales: list[Tensor] = [self.enter(padded)]
        for down in self.down:
            scales.append(down(avg_pool2d(scales[-1], 2)))
        features = scales.pop()
        for up in reversed(self.up):
            doubled = interpolate(features, scale_factor=2.0, mode="nearest")
            features = up(torch.cat([doubled, scales.pop()], 1))
        logits: Tensor = self.head(features)[..., :height, :width]
        return logits


def _two(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 1, 1, bias=False),
        nn.GroupNorm(width // _GROUP, width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, 1, 1, bias=False),
        nn.GroupNorm(width // _GROUP, width),
        nn.ReLU(inplace=True),
    )
