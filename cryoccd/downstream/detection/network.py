"""A small fully convolutional network from a tomogram to a heat map of each class.

A convolution 4^3 with step 2, at the grid of 2 voxels one of 3^3, at that of 4 voxels four of 3^3
that add to what they read (He et al. 2016, arXiv:1512.03385), and back at 2 voxels one of 3^3 over
both, as in a U-Net. Kernels with a step have even sides, so cell k lies at voxel 2 k + 1/2, and a
volume of a side that is a multiple of 4 has the same cells after a half turn.

What a cell says hangs on the voxels within REACH_VOXELS of it and on the borders of the tomogram
within that, on nothing else. Statistics over the volume, as those of GroupNorm, would hang on where
a window ends, so the layers are normalised by BatchNorm (Ioffe & Szegedy 2015, arXiv:1502.03167),
which is a fixed scale once training is over.
"""

from math import log

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

STRIDE = 2
"""Voxels a cell."""

ALIGN = 4
"""A side of a window, and where it begins, is a multiple of these voxels."""

REACH_VOXELS = 24
"""1.5 + 2 of the fine layers, 1 down, 4 of each coarse one, 1 up, 2 of the last, up to a multiple
of ALIGN."""

_COARSE = 4  # layers
_WIDER = 4  # times the first width at the coarse grid
_PRIOR = 0.01  # heat at the start (Lin et al. 2017, arXiv:1708.02002, section 3.3)


class DetectorNet(nn.Module):
    """(n, d, h, w) volumes to (n, classes, d/2, h/2, w/2) logits; sides are multiples of ALIGN.

    Args:
        classes: how many.
        width: channels of the first layer.
    """

    def __init__(self, classes: int, width: int = 16) -> None:
        super().__init__()
        wide = _WIDER * width
        self.fine = nn.Sequential(_layer(1, width, 4, 2), _layer(width, width, 3))
        self.down = _layer(width, wide, 2, 2)
        self.coarse = nn.ModuleList(_layer(wide, wide, 3) for _ in range(_COARSE))
        self.up = nn.Conv3d(wide, width, 1)
        self.join = _layer(2 * width, 2 * width, 3)
        self.head = nn.Conv3d(2 * width, classes, 1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, log(_PRIOR / (1 - _PRIOR)))

    def forward(self, volumes: Tensor) -> Tensor:
        """Logits of the heat maps."""
        fine: Tensor = self.fine(volumes[:, None])
        coarse: Tensor = self.down(fine)
        for layer in self.coarse:
            coarse = coarse + layer(coarse)
        doubled = interpolate(self.up(coarse), scale_factor=2.0, mode="nearest")
        logits: Tensor = self.head(self.join(torch.cat([fine, doubled], 1)))
        return logits


def _layer(channels: int, width: int, kernel: int, step: int = 1) -> nn.Sequential:
    padding = (kernel - step + 1) // 2
    return nn.Sequential(
        nn.Conv3d(channels, width, kernel, step, padding, bias=False),
        nn.BatchNorm3d(width),
        nn.SiLU(inplace=True),
    )
