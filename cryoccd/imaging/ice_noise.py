"""Structural noise of amorphous ice: the image of randomly placed water molecules.

The projected potential of N molecules a unit of area with form factor F(k) = 47.88 V A^2 f_e(k) and
structure factor S(k) has the power density N |F|^2 S. S of low-density amorphous ice falls to the
compressibility limit at small k, has its first peak at 1 / 3.7 A and tends to 1 (Mariedahl et al.,
J. Phys. Chem. B 122, 7616, 2018); it is drawn here as a smooth step with one Gaussian peak. Real
micrographs show more power at low k than that, from surfaces and beam-induced motion: `strength`
scales the amplitude.

Molecules at all heights scatter alike and independently, so that the mean of CTF^2 over the depth
t stands for that of one height: 1/2 - (1/2 - CTF^2) sinc(lambda k^2 t), which fills the zeros at
high k.
"""

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, pad

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.ctf import ctf
from cryoccd.records import Optics
from cryoccd.specimen.scattering import VOLT_A2

WATER_PER_A3 = 0.0311
"""Molecules of vitreous ice at 0.93 g/cm3."""
_TABLE = 4096
_LEAST, _STEP_PER_A, _WIDTH_PER_A = 0.06, 0.21, 0.03
_PEAK, _PEAK_PER_A, _PEAK_WIDTH_PER_A = 0.9, 1 / 3.7, 0.03


def structure_factor(k_per_A: Tensor) -> Tensor:
    """S(k) of amorphous ice at frequencies in 1/angstrom."""
    step = torch.sigmoid((k_per_A - _STEP_PER_A) / _WIDTH_PER_A)
    peak = torch.exp(-0.5 * ((k_per_A - _PEAK_PER_A) / _PEAK_WIDTH_PER_A) ** 2)
    return _LEAST + (1 - _LEAST) * step + _PEAK * peak


def water_power(k_per_A: Tensor) -> Tensor:
    """Power |F|^2 S of one molecule's projected potential, (V A)^2 A^2."""
    factor = _form_factor_A("O", k_per_A) + 2 * _form_factor_A("H", k_per_A)
    return (VOLT_A2 * factor) ** 2 * structure_factor(k_per_A)


def ice_contrast(
    thickness_A: NDArray[np.float32],
    shape_px: tuple[int, int],
    optics: Optics,
    generator: torch.Generator,
    strength: float = 1.0,
    border_px: int = 0,
) -> Tensor:
    """Contrast of the ice, of mean 0, to be added to that of the specimen.

    Args:
        thickness_A: map of the thickness at any coarser size; the variance is proportional to it.
        shape_px: height and width of the field that the map covers.
        optics: defocus at the middle of the ice.
        generator: source of randomness.
        strength: factor on the amplitude; 1 is what independent molecules of this S(k) give.
        border_px: further pixels on each side, of the thickness at the edge.

    Returns:
        (height + 2 border, width + 2 border) contrast.
    """
    local = torch.from_numpy(np.sqrt(thickness_A / thickness_A.mean()))[None, None]
    smooth = interpolate(local, size=shape_px, mode="bilinear", align_corners=False)
    smooth = pad(smooth, (border_px,) * 4, mode="replicate")[0, 0]
    shape_px = (shape_px[0] + 2 * border_px, shape_px[1] + 2 * border_px)
    mean_A = float(thickness_A.mean())
    table_per_A = torch.linspace(0, 0.75 / optics.pixel_size_A, _TABLE)
    ring = radial_frequency(shape_px, rfft=True).mul_((_TABLE - 1) / 0.75).round_().int()
    power = water_power(table_per_A) * (WATER_PER_A3 * mean_A) / optics.pixel_size_A**2
    spread = torch.sinc(optics.wavelength_A * mean_A * table_per_A**2)
    # in place: these fields are as large as the image
    amplitude = ctf(optics, shape_px).square_().sub_(0.5).mul_(spread[ring]).add_(0.5)
    amplitude.mul_(power[ring]).sqrt_().mul_(-2 * optics.interaction_rad_per_V_A * strength)
    del ring
    spectrum = torch.fft.rfft2(torch.randn(shape_px, generator=generator)).mul_(amplitude)
    del amplitude
    image: Tensor = torch.fft.irfft2(spectrum, s=shape_px)
    del spectrum
    return image.mul_(smooth)


def _form_factor_A(element: str, k_per_A: Tensor) -> Tensor:
    """f_e at frequencies in 1/angstrom, five Gaussians (Peng et al. 1996)."""
    table = gemmi.Element(element).c4322
    total = torch.zeros_like(k_per_A)
    for a, b in zip(table.a, table.b, strict=True):
        total += a * torch.exp(-b * k_per_A**2 / 4)
    return total
