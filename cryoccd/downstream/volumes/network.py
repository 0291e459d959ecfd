"""A small three-dimensional network from a box to features and to classes.

A convolution 5^3 with step 2, then convolutions 3^3 of which every second has step 2, until the
grid is 4^3, or 6^3 of boxes of 96: GroupNorm (Wu & He 2018, arXiv:1803.08494), so that a box is
read alike in every batch, and SiLU. Means over the grid go through one layer to the features, and
those through another to the classes. At a width of 16 it has 0.2 M parameters for boxes of 32.
"""

import torch
from torch import Tensor, nn

_GROUP = 8
_COARSEST = 7  # voxels; a grid of fewer is halved no further
_WIDEST = 8  # times the first width


class VolumeNet(nn.Module):
    """(n, b, b, b) boxes to (n, d) features; `head` takes those to (n, classes) logits.

    Args:
        box_px: side of the boxes.
        classes: how many.
        width: channels of the first layer.
        features: of the last layer but one.
    """

    def __init__(self, box_px: int, classes: int, width: int = 16, features: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [_layer(1, width, 5, 2)]
        grid, channels = box_px // 2, width
        while grid > _COARSEST:
            wider = min(2 * channels, _WIDEST * width)
            layers += [_layer(channels, wider, 3, 2), _layer(wider, wider, 3, 1)]
            grid, channels = grid // 2, wider
        self.trunk = nn.Sequential(*layers)
        self.neck = nn.Sequential(nn.Linear(channels, features), nn.SiLU())
        self.head = nn.Linear(features, classes)

    def forward(self, volumes: Tensor) -> Tensor:
        """Features of boxes."""
        grid = self.trunk(volumes[:, None])
        features: Tensor = self.neck(torch.flatten(grid, 2).mean(2))
        return features


def _layer(channels: int, width: int, kernel: int, step: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(channels, width, kernel, step, kernel // 2, bias=False),
        nn.GroupNorm(width // _GROUP, width),
        nn.SiLU(inplace=True),
    )
