"""Self-attention inside square windows with a learned relative bias (Liu et al. 2021, Swin).

CryoCCD attends inside fixed windows of 8 x 8 and hands on nothing but the result. Here the block is
normalised and residual, so that fine texture has a way past it, and every other block shifts its
windows by half, so that no lattice of window borders stays in the image.
"""

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional

from cryoccd.errors import CryoccdError
from cryoccd.nn.reflect_pad import reflect_pad


class WindowAttention(nn.Module):
    """Residual attention, (b, c, h, w) to (b, c, h, w), for any h and w.

    Args:
        channels: c, a multiple of heads.
        window_px: side of the windows.
        heads: attention heads.
        shifted: whether the windows start half a window before the image's corner.

    Raises:
        CryoccdError: heads does not divide channels.
    """

    def __init__(
        self, channels: int, window_px: int = 8, heads: int = 4, shifted: bool = False
    ) -> None:
        super().__init__()
        if channels % heads:
            raise CryoccdError(
                f"window attention: heads = {heads} does not divide {channels} channels"
            )
        self.window_px, self.heads = window_px, heads
        self.shift_px = window_px // 2 if shifted else 0
        self.norm = nn.GroupNorm(1, channels)
        self.queries_keys_values = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros(heads, (2 * window_px - 1) ** 2))
        self.register_buffer("offset", _offsets(window_px), persistent=False)

    offset: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Features plus what each pixel gathers in its window."""
        b, c, h, w = features.shape
        n, s = self.window_px, self.shift_px
        rows, columns = ceil((h + s) / n), ceil((w + s) / n)
        padded = reflect_pad(self.norm(features), rows * n - s, columns * n - s)
        # the shifted side is mirrored by turning the image round and back
        padded = reflect_pad(padded.flip(-1, -2), rows * n, columns * n).flip(-1, -2)
        windows = padded.reshape(b, c, rows, n, columns, n).permute(0, 2, 4, 3, 5, 1)
        tokens = windows.reshape(b * rows * columns, n * n, c)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.queries_keys_values(tokens).chunk(3, dim=-1)
        )
        bias = self.bias[:, self.offset][None].to(query)
        gathered = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        tokens = self.out(gathered.transpose(1, 2).flatten(-2))
        image = tokens.reshape(b, rows, columns, n, n, c).permute(0, 5, 1, 3, 2, 4)
        image = image.reshape(b, c, rows * n, columns * n)
        attended: Tensor = features + image[..., s : s + h, s : s + w]
        return attended


def _offsets(n: int) -> Tensor:
    """(n², n²) index of the relative position of two pixels of a window."""
    place = torch.stack(torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")).flatten(1)
    relative = place[:, :, None] - place[:, None, :] + n - 1
    return relative[0] * (2 * n - 1) + relative[1]
