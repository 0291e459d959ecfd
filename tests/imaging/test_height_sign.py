"""The sign of a height, against a wave that travels through free space and a lens.

The wave leaves a weak Gaussian phase object at height z (towards the source), travels down the
beam to a plane below the ice (Fresnel propagator exp(-i pi lambda dz k^2); Kirkland 2010, eq.
6.65), and an under-focused lens images the plane that lies a defocus above the middle of the ice.
"""

import math

import numpy as np
import pytest
import torch

from cryoccd.imaging.contrast import weak_phase_contrast
from cryoccd.imaging.stamps import Stamp
from cryoccd.records import Optics

SIDE, PIXEL_A, DEFOCUS_A, BELOW_A = 256, 2.0, 15000.0, 2000.0
OPTICS = Optics(300, 2.7, 0.0, PIXEL_A, DEFOCUS_A, DEFOCUS_A)
BOX = 32


def bump(side):
    axis = torch.arange(side, dtype=torch.float64) - side // 2
    return torch.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / 8)


def travelled(z_A):
    """Intensity minus 1 of the propagated wave."""
    wavelength_A = OPTICS.wavelength_A
    k = torch.fft.fftfreq(SIDE, PIXEL_A, dtype=torch.float64)
    k2 = k[:, None] ** 2 + k[None, :] ** 2
    phase = 0.01 * bump(SIDE)
    wave = torch.fft.fft2(torch.exp(1j * phase))
    wave = wave * torch.exp(-1j * math.pi * wavelength_A * (z_A + BELOW_A) * k2)
    focus_A = DEFOCUS_A + BELOW_A  # from the plane below to the plane that is imaged
    spherical = 0.5 * OPTICS.cs_mm * 1e7 * wavelength_A**3 * k2
    chi = math.pi * k2 * (spherical - wavelength_A * focus_A)
    return torch.fft.ifft2(wave * torch.exp(-1j * chi)).abs() ** 2 - 1


@pytest.mark.parametrize("z_A", [-1000.0, 0.0, 1000.0])
def test_height_changes_defocus_as_free_space_does(z_A):
    potential = (0.01 / OPTICS.interaction_rad_per_V_A * bump(BOX)).float()
    corner = SIDE // 2 - BOX // 2
    stamp = Stamp(potential, corner, corner)
    image = weak_phase_contrast([stamp], np.array([z_A]), (SIDE, SIDE), OPTICS).double()
    wave = travelled(z_A)
    alike = torch.corrcoef(torch.stack([image.flatten(), wave.flatten()]))[0, 1]
    assert alike > 0.995
    if z_A:
        mirrored = torch.corrcoef(torch.stack([image.flatten(), travelled(-z_A).flatten()]))[0, 1]
        assert mirrored < 0.97
