"""A level of the conditional U-Net: residual blocks that an embedding scales and shifts."""

from torch import Tensor, nn
from torch.nn import functional

from cryoccd.nn.window_attention import WindowAttention

GROUPS = 8
"""Of the norms; widths are multiples of it."""


class ConditionalLevel(nn.Module):
    """Residual blocks, then attention.

    Args:
        entering: channels of the input.
        width: channels of the output.
        n_blocks: residual blocks.
        time_width: channels of the embedding.
        attention: window attention after the blocks.
        shifted: its windows are shifted by half of one.
    """

    def __init__(
        self,
        entering: int,
        width: int,
        n_blocks: int,
        time_width: int,
        attention: bool,
        shifted: bool,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ConditionalBlock(entering if i == 0 else width, width, time_width)
            for i in range(n_blocks)
        )
        self.attention = WindowAttention(width, shifted=shifted) if attention else nn.Identity()

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """(b, width, h, w) of features (b, entering, h, w) and an embedding (b, time_width)."""
        for block in self.blocks:
            features = block(features, embedding)
        attended: Tensor = self.attention(features)
        return attended


class ConditionalBlock(nn.Module):
    """Norm, SiLU, convolution, twice; the second norm is scaled and shifted by the embedding.

    Args:
        entering: channels of the input.
        width: channels of the output.
        time_width: channels of the embedding.
    """

    def __init__(self, entering: int, width: int, time_width: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, entering)
        self.conv1 = nn.Conv2d(entering, width, 3, 1, 1)
        self.scale_shift = nn.Linear(time_width, 2 * width)
        self.norm2 = nn.GroupNorm(GROUPS, width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.skip = nn.Conv2d(entering, width, 1) if entering != width else nn.Identity()

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """(b, width, h, w) of features (b, entering, h, w) and an embedding (b, time_width)."""
        hidden = self.conv1(functional.silu(self.norm1(features)))
        scale, shift = self.scale_shift(functional.silu(embedding))[..., None, None].chunk(2, 1)
        hidden = self.norm2(hidden) * (1 + scale) + shift
        added: Tensor = self.skip(features) + self.conv2(functional.silu(hidden))
        return added
