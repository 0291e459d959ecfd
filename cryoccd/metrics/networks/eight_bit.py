"""What is done to a crop before a network for photographs sees it; a FID moves with all of it.

One 8-bit tone map for both sides, linear between percentiles of the real set; resizing by
torchvision's transforms.v2 with antialias, in 8 bit as well and always on the CPU, so that a crop
is the same to the last bit on every device; grey written to three channels; float32 without TF32.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor

from cryoccd.metrics.features.extractor import Extractor

TONE_PERCENTILES = (0.5, 99.5)
TONE_MAP = f"8 bit between percentiles {TONE_PERCENTILES} of the real set"

Interpolation = Literal["bilinear", "bicubic"]


class EightBit:
    """An extractor of crops on any scale, made from one of 8-bit crops.

    Args:
        network: the latter.
        limits: `tone_limits` of the real set, for both sides.
    """

    def __init__(self, network: Extractor, limits: tuple[float, float]) -> None:
        self.network, self.limits = network, limits
        self.name, self.version = network.name, network.version

    def __call__(self, crops: Tensor) -> Tensor:
        """(n, d) features of (n, h, w) crops."""
        return self.network(to_8_bit(crops, self.limits))


def tone_limits(real: Iterable[Tensor]) -> tuple[float, float]:
    """Values of the real micrographs that become black and white; mean over the micrographs."""
    fractions = torch.tensor(TONE_PERCENTILES, dtype=torch.float64) / 100
    ends = []
    for image in real:
        values = image.flatten().to(torch.float64).sort().values
        ends.append(values[(fractions * (len(values) - 1)).round().long()])
    low, high = torch.stack(ends).mean(0).tolist()
    return low, high


def to_8_bit(image: Tensor, limits: tuple[float, float]) -> Tensor:
    """Uint8 image, linear between the limits and cut there."""
    low, high = limits
    return ((image - low) / (high - low) * 255).round().clamp(0, 255).to(torch.uint8)


def resizing(interpolation: Interpolation) -> str:
    """The words for `to_photographs` in a protocol."""
    return f"torchvision.transforms.v2.functional.resize uint8 {interpolation} antialias=True"


def to_photographs(grey: Tensor, side_px: int, interpolation: Interpolation) -> Tensor:
    """(n, 3, side_px, side_px) uint8 of (n, h, w) uint8 crops."""
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import resize

    size, mode = [side_px, side_px], InterpolationMode(interpolation)
    resized: Tensor = resize(grey[:, None].cpu(), size, interpolation=mode, antialias=True)
    return resized.expand(-1, 3, -1, -1)


@contextmanager
def full_precision() -> Iterator[None]:
    """Neither the GPU's defaults nor a trainer's settings shorten the numbers of a network."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
