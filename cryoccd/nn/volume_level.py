"""A level of the volume U-Net: blocks that an embedding biases, or scales and shifts."""

from math import gcd
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

Modulation = Literal["bias", "scale_shift"]
"""bias: h + B e, before the second norm, as released. scale_shift: (1 + S e) norm(h) + B e."""
MOST_GROUPS = 8
"""Of a norm."""
LEAST_GROUP = 4
"""Channels in a group: those of the paper's first level, 32 in 8 groups. A group of one channel, as
8 channels in 8 groups have them, would take away whatever bias the channel is given."""


class VolumeBlock(nn.Module):
    """Norm, SiLU, convolution, twice, beside a 1x1x1 convolution where the width changes.

    Args:
        entering: channels of the input.
        width: channels of the output.
        embedded: channels of the embedding.
        modulation: how the embedding acts.
    """

    def __init__(self, entering: int, width: int, embedded: int, modulation: Modulation) -> None:
        super().__init__()
        self.modulation = modulation
        self.norm1 = nn.GroupNorm(groups_of(entering), entering)
        self.conv1 = nn.Conv3d(entering, width, 3, 1, 1)
        self.modulate = nn.Linear(embedded, width if modulation == "bias" else 2 * width)
        self.norm2 = nn.GroupNorm(groups_of(width), width)
        self.conv2 = nn.Conv3d(width, width, 3, 1, 1)
        self.skip = Pointwise(entering, width) if entering != width else nn.Identity()

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """(n, width, d, h, w) of features (n, entering, d, h, w), embedding (n, embedded)."""
        hidden = self.conv1(functional.silu(self.norm1(features)))
        given = self.modulate(functional.silu(embedding))[..., None, None, None]
        if self.modulation == "bias":
            hidden = self.norm2(hidden + given)
        else:
            scale, shift = given.chunk(2, 1)
            hidden = self.norm2(hidden) * (1 + scale) + shift
        added: Tensor = self.skip(features) + self.conv2(functional.silu(hidden))
        return added


class Pointwise(nn.Conv3d):
    """Convolution of one voxel, with its channels last as those beside it.

    As any memory order suits its weights, Conv3d chooses the other one, and all that follows has to
    be turned: a tenth to a quarter of a training step on a CPU.

    Args:
        entering: channels of the input.
        width: channels of the output.
    """

    def __init__(self, entering: int, width: int) -> None:
        super().__init__(entering, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, width, d, h, w) of features (n, entering, d, h, w)."""
        weights = self.weight.flatten(1)
        return functional.linear(features.movedim(1, -1), weights, self.bias).movedim(-1, 1)


class VolumeLevel(nn.Module):
    """Blocks of one side.

    Args:
        entering: channels of the input.
        width: channels of the output.
        n_blocks: how many.
        embedded: channels of the embedding.
        modulation: how the embedding acts.
        recompute: compute a block again in the backward pass, in place of keeping what is in it.
    """

    def __init__(
        self,
        entering: int,
        width: int,
        n_blocks: int,
        embedded: int,
        modulation: Modulation,
        recompute: bool,
    ) -> None:
        super().__init__()
        self.recompute = recompute
        self.blocks = nn.ModuleList(
            VolumeBlock(width if i else entering, width, embedded, modulation)
            for i in range(n_blocks)
        )

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """(n, width, d, h, w) of features (n, entering, d, h, w), embedding (n, embedded)."""
        for block in self.blocks:
            if self.recompute and torch.is_grad_enabled():
                features = checkpoint(block, features, embedding, use_reentrant=False)
            else:
                features = block(features, embedding)
        return features


def groups_of(width: int) -> int:
    """Groups of a norm: 8 of 32 channels and above, of four channels below, one of an image."""
    return gcd(MOST_GROUPS, width // LEAST_GROUP) if width >= LEAST_GROUP else 1
