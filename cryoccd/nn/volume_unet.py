"""Denoiser of cubic boxes: the U-Net of Passi and Cohen (2025), and its options for a better one.

Encoder of three levels: blocks, then a convolution of stride 2. Middle at an eighth of the side.
Decoder: transposed convolution of stride 2, the encoder's features beside it, blocks. With 32
channels, one block a level and biases it has the 3.42 million parameters of the authors' network.

What may be better: two blocks a level; scale and shift after a norm, in place of a bias before one;
a residual branch and a result that start at zero; attention in the middle (8³ voxels of 64³); and
the density of all that is in the box as a second channel, so that orientations and neighbours are
told and not left to the noise.

Convolutions keep their channels last, which halves the time of a step on a CPU.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from cryoccd.errors import CryoccdError
from cryoccd.nn.volume_attention import VolumeAttention
from cryoccd.nn.volume_condition import Joining, VolumeCondition
from cryoccd.nn.volume_level import Modulation, VolumeBlock, VolumeLevel

NO_DENSITY = -1.0
"""Fills the second channel where no density is told; densities themselves are above zero."""


class VolumeUNet(nn.Module):
    """Prediction (n, 1, b, b, b) for any side b that is a multiple of 8.

    Args:
        n_classes: classes of particles.
        base_width: channels of the first level, a multiple of 8; the others have 2 and 4 times as
            many.
        n_blocks: residual blocks a level.
        joining: of time, class and position: `sum` or `concatenate`.
        modulation: how these act in a block: `bias` or `scale_shift`.
        attention: in the middle.
        density_condition: the network takes the density in the box.
        zero_last: residual branches and the result start at zero.
        recompute: gradient checkpointing, blocks are computed again in the backward pass: less
            memory for a third more time.

    Raises:
        CryoccdError: a number out of its range.
    """

    align_px = 8
    """Sides are multiples of this."""

    def __init__(
        self,
        n_classes: int = 6,
        base_width: int = 32,
        n_blocks: int = 1,
        joining: Joining = "sum",
        modulation: Modulation = "bias",
        attention: bool = False,
        density_condition: bool = False,
        zero_last: bool = False,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        for name, value, least in (("n_classes", n_classes, 1), ("n_blocks", n_blocks, 1)):
            if value < least:
                raise CryoccdError(f"volume U-Net: {name} = {value}, expected {least} or more")
        if base_width < 8 or base_width % 8:
            raise CryoccdError(f"volume U-Net: base_width = {base_width}, expected a multiple of 8")
        self.n_classes, self.density_condition = n_classes, density_condition
        self.condition = VolumeCondition(n_classes, joining)

        def level(entering: int, width: int) -> VolumeLevel:
            embedded = self.condition.width
            return VolumeLevel(entering, width, n_blocks, embedded, modulation, recompute)

        inside = 2 if density_condition else 1
        widths = [base_width, 2 * base_width, 4 * base_width]
        self.encoders = nn.ModuleList(level(a, b) for a, b in pairwise([inside, *widths]))
        self.downs = nn.ModuleList(nn.Conv3d(width, width, 3, 2, 1) for width in widths)
        self.middle = level(widths[-1], widths[-1])
        self.attention = VolumeAttention(widths[-1]) if attention else nn.Identity()
        rising = widths[::-1]
        self.ups = nn.ModuleList(nn.ConvTranspose3d(width, width, 2, 2) for width in rising)
        self.decoders = nn.ModuleList(level(2 * a, b) for a, b in pairwise([*rising, base_width]))
        self.out = nn.Conv3d(base_width, 1, 3, 1, 1)
        if zero_last:
            _start_at_zero(self)
        self.to(memory_format=torch.channels_last_3d)

    def forward(
        self,
        noised: Tensor,
        level: Tensor,
        label: Tensor,
        position: Tensor,
        density: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor:
        """Prediction (n, 1, b, b, b).

        Args:
            noised: (n, 1, b, b, b) x_t.
            level: (n,) place of t in the schedule, (t + 1) / T in (0, 1].
            label: (n,) int64 class.
            position: (n, 3) x, y, z of the centre, shares of the tomogram's extent in [0, 1].
            density: (n, 1, b, b, b), NO_DENSITY in all of a box where none is told; None for all.
            known: (n,) bool, false where class and position are not told; None tells all.

        Raises:
            CryoccdError: a side that is no multiple of 8, or a density that the network lacks.
        """
        if any(side % self.align_px for side in noised.shape[2:]):
            raise CryoccdError(
                f"volume U-Net: box of {' x '.join(map(str, noised.shape[2:]))} voxels, expected "
                f"multiples of {self.align_px}"
            )
        if density is not None and not self.density_condition:
            raise CryoccdError("volume U-Net: a density, but density_condition is false")
        if known is None:
            known = torch.ones_like(label, dtype=torch.bool)
        embedding = self.condition(level, label, position, known)
        if self.density_condition:
            told = torch.full_like(noised, NO_DENSITY) if density is None else density
            noised = torch.cat([noised, told], 1).to(memory_format=torch.channels_last_3d)
        skips, features = [], noised
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features, embedding)
            skips.append(features)
            features = down(features)
        features = self.attention(self.middle(features, embedding))
        for up, skip, decoder in zip(self.ups, skips[::-1], self.decoders, strict=True):
            features = decoder(torch.cat([up(features), skip], 1), embedding)
        predicted: Tensor = self.out(features)
        return predicted


def _start_at_zero(network: VolumeUNet) -> None:
    last = [block.conv2 for block in network.modules() if isinstance(block, VolumeBlock)]
    for convolution in (*last, network.out):
        nn.init.zeros_(convolution.weight)
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
