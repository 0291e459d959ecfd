"""Noise predictor ε(x_t, t, condition, style): the U-Net of CryoCCD with conditioning that works.

Encoder: a 3x3 stem, then for each level residual blocks, window attention and a strided
convolution (none at the last); two residual blocks in the middle; decoder: for each level but the
last, nearest-neighbour doubling with a 3x3 convolution before it, the skip concatenated, residual
blocks, attention. With the widths 64, 128, 128, 256 and two blocks a level it has 10.73
million parameters (the paper's code 10.49).

What differs from the paper's code: the condition (source, mask, ice) is concatenated to x_t, pixel
by pixel, where that code averages it over the image; time and style act by scale and shift of a
GroupNorm, where that code adds them before an InstanceNorm, which removes them.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, log

import torch
from torch import Tensor, nn
from torch.nn import functional

from cryoccd.errors import CryoccdError
from cryoccd.nn.conditional_level import GROUPS, ConditionalLevel
from cryoccd.nn.initialise import initialise
from cryoccd.nn.reflect_pad import reflect_pad


class ConditionalUNet(nn.Module):
    """Predicted noise (b, 1, h, w) for any h and w.

    Args:
        n_conditions: channels of the condition, 0 for an unconditional network.
        widths: channels of each level, multiples of 8.
        n_blocks: residual blocks a level.
        attention: window attention at the end of each level of encoder and decoder.
        n_styles: acquisition styles; their embeddings start at zero. With 1 all styles are one.

    Raises:
        CryoccdError: fewer than two levels, or a width that is no multiple of 8.
    """

    def __init__(
        self,
        n_conditions: int = 3,
        widths: Sequence[int] = (64, 128, 128, 256),
        n_blocks: int = 2,
        attention: bool = True,
        n_styles: int = 1,
    ) -> None:
        super().__init__()
        if len(widths) < 2 or any(width < 1 or width % GROUPS for width in widths):
            raise CryoccdError(
                f"U-Net: widths = {list(widths)}, expected at least two multiples of {GROUPS}"
            )
        self.n_conditions = n_conditions
        self.depth = len(widths)
        self.feature_widths = (widths[0], *widths)
        """Channels of `encode`: the stem, then each level."""
        self.align_px = 2 ** (self.depth - 1) * (8 if attention else 1)
        self.embedded, time_width = widths[0], 4 * widths[0]
        self.time = nn.Sequential(
            nn.Linear(self.embedded, time_width), nn.SiLU(), nn.Linear(time_width, time_width)
        )
        self.style = nn.Embedding(n_styles, time_width)
        self.stem = nn.Conv2d(1 + n_conditions, widths[0], 3, 1, 1)
        entering = (widths[0], *widths[:-1])
        self.levels = nn.ModuleList(
            ConditionalLevel(
                entering[i], widths[i], n_blocks, time_width, attention, shifted=i % 2 == 1
            )
            for i in range(self.depth)
        )
        self.downs = nn.ModuleList(nn.Conv2d(width, width, 3, 2, 1) for width in widths[:-1])
        self.middle = ConditionalLevel(widths[-1], widths[-1], 2, time_width, False, False)
        above = list(pairwise(widths))
        self.ups = nn.ModuleList(nn.Conv2d(lower, lower, 3, 1, 1) for _, lower in above)
        self.decoders = nn.ModuleList(
            ConditionalLevel(
                width + lower, width, n_blocks, time_width, attention, shifted=i % 2 == 0
            )
            for i, (width, lower) in enumerate(above)
        )
        self.out = nn.Sequential(
            nn.GroupNorm(GROUPS, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 1, 3, 1, 1)
        )
        initialise(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):  # three of sd 0.02 in a row would hide the time
                module.reset_parameters()
        nn.init.zeros_(self.style.weight)

    def forward(self, noised: Tensor, level: Tensor, condition: Tensor, style: Tensor) -> Tensor:
        """Predicted noise (b, 1, h, w).

        Args:
            noised: (b, 1, h, w) x_t.
            level: (b,) place of t in the schedule, (t + 1) / T in (0, 1].
            condition: (b, n_conditions, h, w).
            style: (b,) int64 index of the acquisition style.
        """
        height, width = noised.shape[-2:]
        embedding = self._embed(level, style)
        features = self._encode(noised, condition, embedding, self.depth + 1)
        decoded = self.middle(features[-1], embedding)
        for i in range(self.depth - 2, -1, -1):
            decoded = self.ups[i](functional.interpolate(decoded, scale_factor=2.0))
            decoded = self.decoders[i](torch.cat([decoded, features[i + 1]], 1), embedding)
        predicted: Tensor = self.out(decoded)
        return predicted[..., :height, :width]

    def encode(
        self, noised: Tensor, level: Tensor, condition: Tensor, style: Tensor, n_levels: int
    ) -> list[Tensor]:
        """Features of the stem and of the first levels, without running the decoder.

        Returns:
            n_levels tensors (b, feature_widths[i], h', w'), h' = h, h, h / 2, h / 4, ...

        Raises:
            CryoccdError: n_levels is not within 1 .. depth + 1, or sides that the levels do not
                halve evenly, where one point would be another place at each level.
        """
        unit = 2 ** (self.depth - 1)
        if noised.shape[-2] % unit or noised.shape[-1] % unit:
            raise CryoccdError(
                f"U-Net: features of {noised.shape[-2]} x {noised.shape[-1]} pixels, expected "
                f"multiples of {unit}; choose such a crop_px"
            )
        if not 1 <= n_levels <= self.depth + 1:
            raise CryoccdError(f"U-Net: {n_levels} feature levels, expected 1 to {self.depth + 1}")
        return self._encode(noised, condition, self._embed(level, style), n_levels)

    def _encode(
        self, noised: Tensor, condition: Tensor, embedding: Tensor, n_levels: int
    ) -> list[Tensor]:
        height, width = noised.shape[-2:]
        unit = 2 ** (self.depth - 1)
        padded = reflect_pad(
            torch.cat([noised, condition], 1), ceil(height / unit) * unit, ceil(width / unit) * unit
        )
        features = [self.stem(padded)]
        for i in range(n_levels - 1):
            entering = self.downs[i - 1](features[-1]) if i > 0 else features[-1]
            features.append(self.levels[i](entering, embedding))
        return features

    def _embed(self, level: Tensor, style: Tensor) -> Tensor:
        half = self.embedded // 2
        rates = torch.exp(-log(1e4) * torch.arange(half, device=level.device) / half)
        phases = 1000 * level[:, None].float() * rates
        times = self.time(torch.cat([phases.sin(), phases.cos()], 1))
        if self.style.num_embeddings == 1:
            style = torch.zeros_like(style)
        embedding: Tensor = times + self.style(style)
        return embedding
