"""Correlation of images with what they should look like, in Fourier space up to a band limit."""

import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid, radial_frequency

BAND = 0.4
"""Frequencies that count, in cycles a pixel: 0.8 of Nyquist. The mean never counts."""

_STEPS = 8


def spectra(images: Tensor) -> Tensor:
    """(..., m) transforms of (..., b, b) images at the frequencies that count.

    They are weighted so that plain sums run over the whole plane.
    """
    side = int(images.shape[-1])
    inside, weight = _band(side)
    kept: Tensor = torch.fft.rfft2(images)[..., inside] * weight
    return kept


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """(...) normalised correlation of spectra (..., m); 0 where one of them is empty."""
    product = (a * b.conj()).real.sum(-1)
    norm = (a.abs().square().sum(-1) * b.abs().square().sum(-1)).sqrt()
    return torch.where(norm > 0, product / norm.clamp_min(1e-30), torch.zeros_like(product))


def damping(images: Tensor, references: Tensor, side: int, noise_free: bool) -> Tensor:
    """(m,) what the amplitude of images is of that of references, ring by ring, over all of them.

    Damage, motion and cameras damp high frequencies. References must be damped alike, or what is
    fitted to the images bends towards whatever damps as well. Without noise the powers tell it,
    however wrong the phases are; with noise only what images and references have in common.

    Args:
        images: (n, m) spectra of (side, side) fields.
        references: (n, m) spectra.
        side: of the fields.
        noise_free: whether the images are.
    """
    inside, _ = _band(side)
    ring = (radial_frequency((side, side), rfft=True)[inside] * side).round().long()

    def rings(values: Tensor) -> Tensor:
        return torch.bincount(ring, values.sum(0).double())

    power = rings(references.abs().square()).clamp_min(1e-30)
    if noise_free:
        ratio = (rings(images.abs().square()) / power).sqrt()
    else:
        ratio = (rings((images * references.conj()).real) / power).clamp_min(0)
    return ratio[ring].float()


def shift_px(images: Tensor, references: Tensor, side: int) -> Tensor:
    """(n, 2) shifts x, y of images from references, both spectra (n, m) of side x side fields.

    The peak of the phase correlation, found by Newton steps from zero, so for shifts of less than
    a pixel or two. Frequencies with less than the mean of the cross-spectrum, where the CTF passes
    nothing, keep their smaller weight.
    """
    k_y, k_x = frequency_grid((side, side), rfft=True)
    inside, _ = _band(side)
    k = 2 * torch.pi * torch.stack([k_x[inside], k_y[inside]], -1).double()
    cross = (images * references.conj()).to(torch.complex128)
    size = cross.abs()
    cross = cross / (size + size.mean(-1, keepdim=True)).clamp_min(1e-300)
    shift = torch.zeros(len(images), 2, dtype=torch.float64)
    for _ in range(_STEPS):
        turned = cross * torch.exp(1j * (shift @ k.T))
        slope = -(turned.imag @ k)
        bend = -torch.einsum("nm,mi,mj->nij", turned.real, k, k)
        bend = bend - 1e-9 * torch.eye(2)  # of an image without signal
        step = torch.linalg.solve(bend, slope[..., None])[..., 0]
        shift = shift - step.clamp(-0.5, 0.5)
    return shift


def _band(side: int) -> tuple[Tensor, Tensor]:
    """(b, b // 2 + 1) which frequencies count, and the root of how often each is in the plane."""
    radius = radial_frequency((side, side), rfft=True)
    inside = (radius > 0) & (radius <= BAND)
    twice = torch.full_like(radius, 2.0).sqrt()
    twice[:, 0] = 1.0
    return inside, twice[inside]
