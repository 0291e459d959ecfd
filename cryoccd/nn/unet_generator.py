"""U-Net of pix2pix (Isola et al. 2017, arXiv:1611.07004, appendix 6.1), as CryoGEM uses it.

Level i = 1 .. depth halves the side; it has min(2^(i-1), 8) * base_channels channels. Down: leaky
ReLU 0.2, convolution 4x4 stride 2, instance norm; up: ReLU, transposed convolution 4x4 stride 2,
instance norm. No norm at level 1, at the innermost level (1 x 1 at the paper's size) and at the
output, which is a Tanh. The default has 79,571,329 parameters.
"""

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional

from cryoccd.errors import CryoccdError
from cryoccd.nn.initialise import initialise
from cryoccd.nn.reflect_pad import reflect_pad


class UNetGenerator(nn.Module):
    """Image to image, (b, 1, h, w) to (b, 1, h, w) in [-1, 1], for any h and w.

    Args:
        depth: number of levels; a side that is no multiple of 2^depth is mirror-padded inside.
        base_channels: channels of the first level.

    Raises:
        CryoccdError: fewer than two levels or no channel.
    """

    def __init__(self, depth: int = 10, base_channels: int = 64) -> None:
        super().__init__()
        if depth < 2 or base_channels < 1:
            raise CryoccdError(
                f"U-Net: depth = {depth}, base_channels = {base_channels}; expected depth >= 2 and "
                "base_channels >= 1"
            )
        self.depth = depth
        self.widths = tuple(base_channels * min(2**level, 8) for level in range(depth))
        self.downs = nn.ModuleList(self._down(level) for level in range(depth))
        self.ups = nn.ModuleList(self._up(level) for level in range(depth))
        initialise(self)

    def encode(self, image: Tensor, n_levels: int) -> list[Tensor]:
        """Features of levels 1 .. n_levels, after their leaky ReLU, without running the decoder.

        The public code works in place, so that its level features carry the activation of the
        next block; that is the convention here.

        Returns:
            n_levels tensors (b, widths[i], h / 2^(i+1), w / 2^(i+1)).

        Raises:
            CryoccdError: n_levels is not within 1 .. depth.
        """
        if not 1 <= n_levels <= self.depth:
            raise CryoccdError(f"U-Net: {n_levels} feature levels, expected 1 to {self.depth}")
        features: list[Tensor] = []
        for down in self.downs[:n_levels]:
            image = functional.leaky_relu(down(image), 0.2)
            features.append(image)
        return features

    def forward(self, image: Tensor) -> Tensor:
        """Translated image (b, 1, h, w) in [-1, 1]."""
        height, width = image.shape[-2:]
        unit = 2**self.depth
        padded = reflect_pad(image, ceil(height / unit) * unit, ceil(width / unit) * unit)
        features = self.encode(padded, self.depth)
        decoded = features[-1]
        for level in range(self.depth - 1, -1, -1):
            # ReLU(leaky ReLU(x)) = ReLU(x), so that skips may carry the activated features
            decoded = self.ups[level](functional.relu(decoded))
            if level > 0:
                decoded = torch.cat([features[level - 1], decoded], dim=1)
        return torch.tanh(decoded)[..., :height, :width]

    def _down(self, level: int) -> nn.Sequential:
        entering = self.widths[level - 1] if level > 0 else 1
        block: list[nn.Module] = [nn.Conv2d(entering, self.widths[level], 4, 2, 1)]
        if 0 < level < self.depth - 1:
            block.append(nn.InstanceNorm2d(self.widths[level]))
        return nn.Sequential(*block)

    def _up(self, level: int) -> nn.Sequential:
        skip = 1 if level == self.depth - 1 else 2
        leaving = self.widths[level - 1] if level > 0 else 1
        block: list[nn.Module] = [nn.ConvTranspose2d(skip * self.widths[level], leaving, 4, 2, 1)]
        if level > 0:
            block.append(nn.InstanceNorm2d(leaving))
        return nn.Sequential(*block)
