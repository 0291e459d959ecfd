"""ResNet generator of CycleGAN (Zhu et al. 2017, arXiv:1703.10593, appendix 7.2) and of CUT.

Johnson et al. 2016 (arXiv:1603.08155): convolution 7x7, two that halve the side and double the
channels, n residual blocks, two that double the side, convolution 7x7, Tanh; instance norm and
ReLU between. No dropout. The default has 11,365,633 parameters, with antialias or without.

CycleGAN moves between the scales by convolutions of stride 2, plain and transposed. CUT (Park et
al. 2020, arXiv:2007.15651) convolves at stride 1 and halves by a blur, and doubles by the blur
[1, 3, 3, 1] before a convolution, which is bilinear interpolation.
"""

from collections.abc import Iterator
from itertools import islice
from math import ceil

from torch import Tensor, nn

from cryoccd.errors import CryoccdError
from cryoccd.nn.blur_down import BlurDown
from cryoccd.nn.initialise import Initialisation, initialise
from cryoccd.nn.reflect_pad import reflect_pad


class ResnetGenerator(nn.Module):
    """Image to image, (b, 1, h, w) to (b, 1, h, w) in [-1, 1], for any h and w.

    Attributes:
        widths: channels of the feature levels that `encode` gives.
        depth: number of these levels, 5.
        stride: 4; shifts by multiples of it are what the network is equivariant to.

    Args:
        n_blocks: residual blocks, at least 3, so that the two feature levels among them differ.
        base_channels: channels at full size.
        antialias: CUT's blurred changes of scale instead of CycleGAN's strides.
        initialisation: of the weights; normal in CycleGAN, xavier in CUT.

    Raises:
        CryoccdError: fewer than three blocks or no channel.
    """

    stride = 4

    def __init__(
        self,
        n_blocks: int = 9,
        base_channels: int = 64,
        antialias: bool = False,
        initialisation: Initialisation = "normal",
    ) -> None:
        super().__init__()
        if n_blocks < 3 or base_channels < 1:
            raise CryoccdError(
                f"ResNet: n_blocks = {n_blocks}, base_channels = {base_channels}; expected "
                "n_blocks >= 3 and base_channels >= 1"
            )
        fine, middle, coarse = base_channels, 2 * base_channels, 4 * base_channels
        self.widths = (1, middle, coarse, coarse, coarse)
        self.depth = len(self.widths)
        # in the order of `_stages`; blocks 1 and 5 of nine
        self.taps = (0, 1, 2, 3, 2 + (n_blocks + 1) // 2)

        self.enter = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(1, fine, 7), *_normed(fine))
        step = 1 if antialias else 2
        self.downs = nn.ModuleList(
            nn.Conv2d(width, 2 * width, 3, step, padding=1) for width in (fine, middle)
        )
        halve = [BlurDown()] if antialias else []
        self.settles = nn.ModuleList(
            nn.Sequential(*_normed(width), *halve) for width in (middle, coarse)
        )
        self.blocks = nn.ModuleList(ResidualBlock(coarse) for _ in range(n_blocks))
        self.leave = nn.Sequential(
            *_up(coarse, antialias),
            *_up(middle, antialias),
            nn.ReflectionPad2d(3),
            nn.Conv2d(fine, 1, 7),
            nn.Tanh(),
        )
        initialise(self, initialisation)

    def encode(self, image: Tensor, n_levels: int) -> list[Tensor]:
        """The first n_levels of CUT's five feature levels, without running what comes after them.

        The image itself, the first and the second downsampling convolution before their norms, and
        the residual blocks 1 and (n_blocks + 1) // 2. These are layers 0, 4, 8, 12 and 16 of CUT's
        code for nine blocks, but for layer 0, the image mirrored by 3 pixels: it stays unpadded
        here, so that one point in [-1, 1] (`losses.mask_points`) means one place at every level.

        This holds for sides that are multiples of 4, and to 1/2 and 3/2 pixels of the image: pixel
        j of the two coarser scales is centred on pixel 2 j and 4 j, not on 2 j + 1/2 and
        4 j + 3/2. A source and its translation are read with the same offset.

        Returns:
            n_levels tensors (b, widths[i], h / s, w / s): s = 1, 2, 4, 4, 4, and with antialias
            s = 1, 1, 2, 4, 4, since it halves after the convolution.

        Raises:
            CryoccdError: n_levels is not within 1 .. depth.
        """
        if not 1 <= n_levels <= self.depth:
            raise CryoccdError(f"ResNet: {n_levels} feature levels, expected 1 to {self.depth}")
        taps = self.taps[:n_levels]
        stages = islice(self._stages(image), taps[-1] + 1)
        return [features for index, features in enumerate(stages) if index in taps]

    def forward(self, image: Tensor) -> Tensor:
        """Translated image (b, 1, h, w) in [-1, 1]; sides are mirrored to multiples of 4 inside."""
        height, width = image.shape[-2:]
        # at least 8: mirroring and the norm need two pixels a side at the coarsest scale
        sides = (max(2, ceil(side / self.stride)) * self.stride for side in (height, width))
        for encoded in self._stages(reflect_pad(image, *sides)):  # noqa: B007 - only the last one is kept
            pass
        translated: Tensor = self.leave(encoded)
        return translated[..., :height, :width]

    def _stages(self, image: Tensor) -> Iterator[Tensor]:
        """The image, each downsampling convolution and each block, computed only when asked for."""
        yield image
        features = self.enter(image)
        for down, settle in zip(self.downs, self.settles, strict=True):
            features = down(features)
            yield features
            features = settle(features)
        for block in self.blocks:
            features = block(features)
            yield features


class ResidualBlock(nn.Module):
    """x + norm(convolution(ReLU(norm(convolution(x))))) of (b, channels, h, w), 3x3, mirrored."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *_normed(channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape; h and w of at least 2."""
        summed: Tensor = features + self.residual(features)
        return summed


def _normed(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU()


def _up(channels: int, antialias: bool) -> list[nn.Module]:
    leaving = channels // 2
    if antialias:
        doubled = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        return [doubled, nn.Conv2d(channels, leaving, 3, padding=1), *_normed(leaving)]
    transposed = nn.ConvTranspose2d(channels, leaving, 3, 2, padding=1, output_padding=1)
    return [transposed, *_normed(leaving)]
