"""Defocus from the Thon rings of an image.

As in CTFFIND (Rohou & Grigorieff 2015, J. Struct. Biol. 192, 216): the radial power spectrum is
compared with CTF² by normalised correlation. Here the logarithm is taken, both curves lose the
same smooth background by weighted projection on Legendre polynomials, and rings count by their
number of Fourier samples. Isotropic: one mean defocus, no astigmatism.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_ctf import calculate_ctf_1d

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average

TILE_PX = 512
_BACKGROUND_DEGREE = 3
_BAND_PER_A = (1 / 30, 1 / 5)  # below it particles, above it little but noise
_HIGHEST_CYCLES_PER_PX = 0.45


@dataclass(frozen=True)
class DefocusFit:
    """Mean defocus in angstrom, positive = under-focus, and the correlation reached (at most 1)."""

    defocus_A: float
    score: float


def estimate_defocus_A(
    image: Tensor,
    voltage_kV: float,
    cs_mm: float,
    amplitude_contrast: float,
    pixel_size_A: float,
    range_A: tuple[float, float] = (5000, 60000),
) -> DefocusFit:
    """Defocus of one image.

    Args:
        image: (h, w), any scale and offset.
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction.
        pixel_size_A: pixel size.
        range_A: defocus searched, lowest and highest.

    Raises:
        CryoccdError: the image is constant or under 64 px, or the range is empty.
    """
    spectrum = radial_spectrum(image)
    return fit_defocus_A(
        spectrum, voltage_kV, cs_mm, amplitude_contrast, pixel_size_A, range_A=range_A
    )


def radial_spectrum(image: Tensor) -> Tensor:
    """Radial mean of the Hann-windowed power over half-overlapping tiles of up to 512 px.

    Returns:
        (tile // 2 + 1,) power at 0 .. Nyquist.
    """
    if image.ndim != 2 or min(image.shape) < 64:
        raise CryoccdError(f"defocus: image {tuple(image.shape)}, expected (h, w) of 64 px or more")
    side = min(TILE_PX, *image.shape) // 2 * 2
    window = torch.hann_window(side, dtype=image.dtype)
    window = window[:, None] * window[None, :]
    tiles = image.unfold(0, side, side // 2).unfold(1, side, side // 2).reshape(-1, side, side)
    power = torch.zeros(side, side, dtype=image.dtype)
    for tile in tiles:
        power += torch.fft.fft2((tile - tile.mean()) * window).abs() ** 2
    return radial_average(power / len(tiles))


def fit_defocus_A(
    spectrum: Tensor,
    voltage_kV: float,
    cs_mm: float,
    amplitude_contrast: float,
    pixel_size_A: float,
    range_A: tuple[float, float] = (5000, 60000),
) -> DefocusFit:
    """Defocus of a radial power spectrum (n,) at evenly spaced frequencies 0 .. Nyquist."""
    low_A, high_A = range_A
    if not 0 < low_A < high_A:
        raise CryoccdError(f"defocus: range_A = {range_A}, expected 0 < lowest < highest")
    n = len(spectrum)
    cycles_per_px = np.linspace(0, 0.5, n)
    low, high = (edge * pixel_size_A for edge in _BAND_PER_A)
    keep = (cycles_per_px >= low) & (cycles_per_px <= min(high, _HIGHEST_CYCLES_PER_PX))
    power = spectrum.double().numpy()[keep]
    if not (power > 0).all():
        raise CryoccdError("defocus: the spectrum has empty rings; is the image constant?")
    weight = np.sqrt(cycles_per_px[keep])  # a ring holds samples in proportion to its radius
    basis = _background(cycles_per_px[keep], weight)
    data = _residual(np.log(power) * weight, basis)

    def scores(defocus_A: NDArray[np.float64]) -> NDArray[np.float64]:
        ctf = calculate_ctf_1d(
            torch.from_numpy(defocus_A / 1e4).float(),
            voltage_kV,
            cs_mm,
            amplitude_contrast,
            0.0,
            pixel_size_A,
            n,
            1,
        )
        model = _residual(ctf.double().numpy()[:, keep] ** 2 * weight, basis)
        correlation: NDArray[np.float64] = (model @ data) / np.linalg.norm(model, axis=1)
        return correlation / np.linalg.norm(data)

    step_A = 100.0
    grid = np.arange(low_A, high_A + step_A, step_A)
    best = float(grid[np.argmax(scores(grid))])
    fine = np.clip(np.linspace(best - step_A, best + step_A, 41), low_A, high_A)
    fine_scores = scores(fine)
    index = int(np.argmax(fine_scores))
    return DefocusFit(float(fine[index]), float(fine_scores[index]))


def _background(frequency: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal weighted polynomials (k, degree + 1) of the frequency."""
    span = np.interp(frequency, [frequency[0], frequency[-1]], [-1, 1])
    table = np.polynomial.legendre.legvander(span, _BACKGROUND_DEGREE) * weight[:, None]
    basis: NDArray[np.float64] = np.linalg.qr(table)[0]
    return basis


def _residual(curves: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    rest: NDArray[np.float64] = curves - (curves @ basis) @ basis.T
    return rest
