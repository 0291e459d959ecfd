"""Structural noise of vitreous ice: the projected potential of disordered water.

A column of thickness t holds molecules of number density rho whose projected potential is a random
field with the spectrum rho t S(k) F(k)², F = 47.878 V Å² (f_O + 2 f_H) and S the structure factor
of liquid water: its compressibility limit at low k and the first maximum near 1 / 3.7 Å
(Narten & Levy 1971, J. Chem. Phys. 55, 2263). It meets the lens like any potential, so that the
background carries Thon rings.
"""

import torch
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.simulate.oracle_specimen import POTENTIAL_V_A2, scattering_factor_A

WATER_PER_A3 = 0.0314
_LIMIT = 0.065
_PEAK_PER_A = 0.27
_PEAK_WIDTH_PER_A = 0.06


def structure_factor(frequency_per_A: Tensor) -> Tensor:
    """S(k) of water: its limit at k = 0 and a Gaussian first maximum of 1.5."""
    peak = torch.exp(-(((frequency_per_A - _PEAK_PER_A) / _PEAK_WIDTH_PER_A) ** 2))
    return _LIMIT + (1.5 - _LIMIT) * peak


class IceNoise:
    """Draws spectra of the potential of ice on a grid.

    Args:
        shape_px: height and width of the grid.
        pixel_size_A: its pixel size.
        strength: amplitude relative to water.
    """

    def __init__(self, shape_px: tuple[int, int], pixel_size_A: float, strength: float) -> None:
        self.shape_px = shape_px
        k = radial_frequency(shape_px, rfft=True) / pixel_size_A
        factor = scattering_factor_A("O", k**2) + 2 * scattering_factor_A("H", k**2)
        density = WATER_PER_A3 * structure_factor(k) / pixel_size_A**2
        self.transfer = strength * POTENTIAL_V_A2 * factor * density.sqrt()

    def spectrum(self, thickness_A: Tensor, generator: torch.Generator) -> Tensor:
        """rfft2 of the potential in V Å of one layer of (h, w) thickness."""
        noise = torch.randn(self.shape_px, generator=generator) * thickness_A.sqrt()
        spectrum: Tensor = torch.fft.rfft2(noise) * self.transfer
        return spectrum
