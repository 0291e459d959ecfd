"""Where a micrograph is background: away from picks, or from what looks like a particle."""

import torch
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.normalise import robust_normalise

MARGIN = 1.2
"""Discs are this much wider than the particle, because the CTF spreads its edge."""


def background_mask(image: Tensor, centres_px: Tensor | None, diameter_px: float) -> Tensor:
    """Boolean (h, w), true where there is no particle.

    Args:
        image: (h, w) micrograph.
        centres_px: (n, 2) picks x, y; None where there are no picks: then everything is left out
            whose response to a band-pass of the particle's size lies beyond 2.5 robust standard
            deviations on the dark side, with a disc around it.
        diameter_px: particle diameter in pixels.
    """
    shape = (int(image.shape[0]), int(image.shape[1]))
    if centres_px is not None:
        return ~disc_mask(shape, centres_px, MARGIN * diameter_px / 2)
    response = robust_normalise(_band_pass(image, diameter_px))
    dark = (response < -2.5).to(torch.float32)[None, None]
    reach = max(1, round(MARGIN * diameter_px / 2))
    grown = torch.nn.functional.max_pool2d(dark, 2 * reach + 1, stride=1, padding=reach)
    return grown[0, 0] < 0.5


def _band_pass(image: Tensor, diameter_px: float) -> Tensor:
    """Difference of two Gaussians, of a quarter of the particle's diameter and of one diameter."""
    k = radial_frequency((int(image.shape[0]), int(image.shape[1])), rfft=True)
    narrow, wide = ((-2 * (torch.pi * k * s) ** 2).exp() for s in (diameter_px / 4, diameter_px))
    spectrum = torch.fft.rfft2(image) * (narrow - wide)
    filtered: Tensor = torch.fft.irfft2(spectrum, s=image.shape)
    return filtered
