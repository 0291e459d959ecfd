"""Labelled micrographs of a known signal and noise: rough dark blobs in coloured noise."""

import torch

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.measure import Field

SIDE, DIAMETER, PIXEL_SIZE_A = 256, 24.0, 4.0
GAIN = 40.0
"""For d' of 10: a contrast of 0.03 in noise of about 1; a share of 0.4 gives 4."""


def generator(seed):
    return torch.Generator().manual_seed(seed)


def lattice(seed, step=48):
    """Twenty-five centres 48 px apart, moved by up to 5 px, the outer ones 32 px from the rim."""
    axis = range(32, SIDE - 31, step)
    grid = torch.tensor([[x, y] for x in axis for y in axis])
    return (grid + torch.randint(-5, 6, grid.shape, generator=generator(seed))).double()


def clean_of(centres, seed):
    """(h, w) contrast: each particle a soft disc with a texture of its own."""
    axis = torch.arange(-24, 25, dtype=torch.float64)
    radius = torch.hypot(axis[:, None], axis[None, :])
    envelope = torch.sigmoid((DIAMETER / 2 - 2 - radius) / 1.5)
    field = torch.zeros(SIDE, SIDE, dtype=torch.float64)
    source = generator(seed)
    for x, y in centres.round().long().tolist():
        texture = 1 + 0.8 * torch.randn(49, 49, generator=source, dtype=torch.float64)
        field[y - 24 : y + 25, x - 24 : x + 25] -= 0.03 * envelope * texture
    return field.float()


def noise_of(seed, strength=1.0):
    """Noise of variance near 1, stronger towards low frequencies."""
    k = radial_frequency((SIDE, SIDE)).double()
    return strength * random_field(0.6 + 4 / (1 + (k * 24) ** 2), generator(10_000 + seed))


def field_of(seed, share=1.0, strength=1.0):
    """A field with a share of the signal, on the scale that it has."""
    centres = lattice(seed)
    clean = clean_of(centres, seed)
    image = share * GAIN * clean + noise_of(seed, strength)
    return Field(image, PIXEL_SIZE_A, centres, DIAMETER * PIXEL_SIZE_A, clean)


def fields(count, first_seed=0, share=1.0, strength=1.0):
    return [field_of(first_seed + i, share, strength) for i in range(count)]
