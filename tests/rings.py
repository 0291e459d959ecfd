"""Fields with Thon rings of a known CTF."""

import torch

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.ctf import ctf
from cryoccd.records import Optics


def optics(mean_A, half_A=0.0, angle_deg=0.0, pixel_size_A=4.0, lens=(300.0, 2.7, 0.1, 0.0)):
    *settings, phase_deg = lens
    return Optics(*settings, pixel_size_A, mean_A + half_A, mean_A - half_A, angle_deg, phase_deg)


def colour(shape_px):
    """Amplitude of the noise: falls by half and has a peak at zero frequency."""
    k = radial_frequency(shape_px, rfft=True)
    return torch.exp(-3 * k) + 0.02 / (k + 0.01)


def coloured_noise(shape_px, seed):
    white = torch.randn(shape_px, generator=torch.Generator().manual_seed(seed))
    return torch.fft.irfft2(torch.fft.rfft2(white) * colour(shape_px), s=shape_px)


def thon(truth, shape_px=(256, 256), seed=0, floor=0.5, specimen=0.0, b_factor_A2=0.0):
    """Amorphous matter, with `specimen`, through the CTF, on noise of power `floor` that is not."""
    matter = coloured_noise(shape_px, 2 * seed) + specimen
    transfer = ctf(truth, shape_px)
    k = radial_frequency(shape_px, rfft=True) / truth.pixel_size_A
    transfer = transfer * torch.exp(-b_factor_A2 * k**2 / 4)
    seen = torch.fft.irfft2(torch.fft.rfft2(matter) * transfer, s=shape_px)
    return seen + floor**0.5 * coloured_noise(shape_px, 2 * seed + 1)


def spheres(shape_px, radius_px, count, seed):
    """Projected solid spheres at random, of height 1 in the middle."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(*(torch.arange(side).float() for side in shape_px), indexing="ij")
    field = torch.zeros(shape_px)
    for _ in range(count):
        centre_y, centre_x = torch.rand(2, generator=generator) * torch.tensor(shape_px)
        squared = ((y - centre_y) ** 2 + (x - centre_x) ** 2) / radius_px**2
        field += (1 - squared).clamp_min(0).sqrt()
    return field
