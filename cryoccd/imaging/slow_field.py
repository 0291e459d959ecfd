"""The slow variation of a micrograph's background: ice thickness and illumination."""

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from cryoccd.fourier import radial_frequency

FIELD_PX = 32
"""Side at which slow fields are kept."""


def slow_field(image: Tensor, mask: Tensor, sigma_px: float) -> Tensor:
    """(h, w) Gaussian average of the pixels where the mask is true (normalised convolution).

    Fields are padded by reflection, so the two ends of a micrograph do not mix.
    """
    weight = mask.to(torch.float32)
    mean = (image * weight).sum() / weight.sum().clamp_min(1)
    smooth = _smooth((image - mean) * weight, sigma_px)
    return smooth / _smooth(weight, sigma_px).clamp_min(1e-3)


def resize_field(field: Tensor, shape_px: tuple[int, int]) -> Tensor:
    """Resize a smooth (h, w) field, antialiased bicubic."""
    resized: Tensor = functional.resize(
        field[None, None], list(shape_px), v2.InterpolationMode.BICUBIC, antialias=True
    )
    return resized[0, 0]


def _smooth(field: Tensor, sigma_px: float) -> Tensor:
    height, width = field.shape
    reach = min(int(3 * sigma_px), height - 1, width - 1)
    right, below = _reflected(width, reach), _reflected(height, reach)
    sides = [reach, right, reach, below]
    padded = torch.nn.functional.pad(field[None, None], sides, mode="reflect")[0, 0]
    k = radial_frequency((int(padded.shape[0]), int(padded.shape[1])), rfft=True)
    kernel = (-2 * (torch.pi * k * sigma_px) ** 2).exp()
    smooth: Tensor = torch.fft.irfft2(torch.fft.rfft2(padded) * kernel, s=padded.shape)
    return smooth[reach : reach + height, reach : reach + width]


def _reflected(side: int, reach: int) -> int:
    """Pixels reflected beyond the far end: `reach`, and on to a length that transforms fast."""
    whole = int(next_fast_len(side + 2 * reach, real=True))
    return min(whole - side - reach, side - 1)
