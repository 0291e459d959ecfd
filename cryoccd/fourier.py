"""Centred Fourier transforms, frequencies and radial averages."""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


def frequency_grid(
    shape_px: tuple[int, int], pixel_size_A: float = 1.0, rfft: bool = False
) -> tuple[Tensor, Tensor]:
    """Spatial frequencies (k_y, k_x), each broadcast to the transform's shape, in 1/pixel_size_A.

    Not shifted: the zero frequency is at [0, 0], as torch.fft leaves it.
    """
    height, width = shape_px
    k_y = torch.fft.fftfreq(height, pixel_size_A)
    k_x = (torch.fft.rfftfreq if rfft else torch.fft.fftfreq)(width, pixel_size_A)
    grid_y, grid_x = torch.meshgrid(k_y, k_x, indexing="ij")
    return grid_y, grid_x


def radial_frequency(shape_px: tuple[int, int], rfft: bool = False) -> Tensor:
    """Radius of each frequency in cycles a pixel (Nyquist = 0.5), not shifted."""
    k_y, k_x = frequency_grid(shape_px, rfft=rfft)
    return torch.hypot(k_y, k_x)


def radial_average(power: Tensor, n_rings: int | None = None) -> Tensor:
    """Mean over rings of (..., n, n) unshifted full-plane values.

    Ring i holds the frequencies whose radius rounds to i cycles a field, i = 0 .. n // 2.

    Returns:
        (..., n // 2 + 1) means.
    """
    side = int(power.shape[-1])
    if power.shape[-2] != side:
        raise CryoccdError(f"radial average: expected square fields, got {tuple(power.shape)}")
    rings = n_rings if n_rings is not None else side // 2 + 1
    index = (radial_frequency((side, side)) * side).round().long().flatten().to(power.device)
    keep = index < rings
    index = index[keep]
    flat = power.flatten(-2)[..., keep]
    total = torch.zeros(*flat.shape[:-1], rings, dtype=power.dtype, device=power.device)
    total.index_add_(-1, index, flat)
    return total / torch.bincount(index, minlength=rings).to(power.dtype)


def fourier_crop(image: Tensor, factor: int) -> Tensor:
    """Bin (..., h, w) images by an integer factor in Fourier space; mean and pixel grid kept.

    The centre of pixel [0, 0] stays where it is, so that coordinates divide by the factor.
    h and w are first cut to multiples of twice the factor.
    """
    if factor == 1:
        return image
    height, width = (int(s) // (2 * factor) * 2 * factor for s in image.shape[-2:])
    if height == 0 or width == 0:
        raise CryoccdError(f"bin {factor}: the image {tuple(image.shape)} is too small")
    spectrum = torch.fft.rfft2(image[..., :height, :width])
    half_h, half_w = height // factor // 2, width // factor // 2
    rows = torch.cat([spectrum[..., :half_h, :], spectrum[..., -half_h:, :]], dim=-2)
    cropped = rows[..., : half_w + 1].clone()
    cropped[..., half_h, :] = 0  # the Nyquist row and column have no partner: leave them empty
    cropped[..., half_w] = 0
    small: Tensor = torch.fft.irfft2(cropped, s=(2 * half_h, 2 * half_w))
    return small / factor**2
