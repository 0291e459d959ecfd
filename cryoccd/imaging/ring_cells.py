"""The power spectrum of an image in cells, one Fourier ring by ten degrees, for fits of its CTF.

The logarithm of the power, and any model compared with it, lose the same smooth background by
projection, each cell weighted by its number of samples. The background has degree 5 in the
frequency: with degree 3 the spectrum of coloured noise without Thon rings leaves some of its own.
A part cos 2a and sin 2a times degree 1 keeps noise of two-fold symmetry, as of drift, from being
taken for astigmatism.

The phase of a cell is linear in its defocus, p = p0 + p1 (m + x cos 2a + y sin 2a) with the mean m
and (x, y) = (u - v) / 2 (cos, sin) of twice the angle, so that torch-ctf is asked once.
"""

from math import ceil, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_ctf import calculate_total_phase_shift

from cryoccd.errors import CryoccdError
from cryoccd.fourier import frequency_grid
from cryoccd.imaging.lens import Lens

Array = NDArray[np.float64]

TILE_A = 1024.0  # resolves the Thon rings of 5 um at 5 A
LEAST_RINGS = 12
_BAND_PER_A = (1 / 30, 1 / 5)  # below it particles, above it little but noise
_HIGHEST_CYCLES_PER_PX = 0.45
_SECTORS = 18
_DEGREE, _SYMMETRIC_DEGREE = 5, 1
_LEAST_POWER = 1e-12  # of the mean: what a low-pass left is rounding


class RingCells:
    """Cells of the half plane between 30 and 5 angstrom.

    Args:
        power: (n, n) unshifted power.
        pixel_size_A: pixel size.
        lens: the microscope.
    """

    def __init__(self, power: Tensor, pixel_size_A: float, lens: Lens) -> None:
        side = int(power.shape[0])
        k_y, k_x = (k.double().numpy() for k in frequency_grid((side, side)))
        radius = np.hypot(k_x, k_y)
        low, high = _band(pixel_size_A)
        keep = (radius >= low) & (radius <= high) & ((k_y > 0) | ((k_y == 0) & (k_x > 0)))
        radius, angle = radius[keep], np.arctan2(k_y, k_x)[keep]
        cell = np.rint(radius * side).astype(int) * _SECTORS + (angle / pi * _SECTORS).astype(int)
        count = np.bincount(cell)
        filled = count > 0
        self.count: Array = count[filled].astype(float)

        def mean(values: Array) -> Array:
            means: Array = np.bincount(cell, values)[filled] / self.count
            return means

        self.k2 = mean((radius / pixel_size_A) ** 2)
        self._turns = np.stack([self.k2**0, mean(np.cos(2 * angle)), mean(np.sin(2 * angle))])
        self._p0, self._p1 = _phase(self.k2, lens)
        self._weight = np.sqrt(self.count)
        self._basis = _background(self.k2, self._turns, self._weight)
        seen = mean(power.numpy()[keep])
        if seen.mean() == 0:
            raise CryoccdError("defocus: no power between 30 and 5 A; is the image constant?")
        self.seen = self.rest(np.log(np.maximum(seen, _LEAST_POWER * seen.mean())))
        """(cells,) logarithm of the power without its background."""

    def phase(self, points: Array) -> Array:
        """(n, cells) phase of the CTF for (n, 3) mean defocus and astigmatism vector."""
        return self._p0 + self._p1 * (points @ self._turns)

    def scores(self, points: Array) -> Array:
        """(n,) correlation with CTF² for the same."""
        model = self.rest(np.sin(self.phase(points)) ** 2) * self._weight
        seen = self.seen * self._weight
        scores: Array = model @ seen / np.linalg.norm(model, axis=1)
        return scores / float(np.linalg.norm(seen))

    def rest(self, curves: Array) -> Array:
        """(..., cells) without background."""
        weighted = curves * self._weight
        rest: Array = (weighted - (weighted @ self._basis) @ self._basis.T) / self._weight
        return rest


def rings_in_band(image: Tensor, pixel_size_A: float) -> int:
    """How many Fourier rings a tile has between 30 and 5 angstrom; a fit needs LEAST_RINGS."""
    low, high = _band(pixel_size_A)
    return max(0, int((high - low) * _tile_px(image, pixel_size_A)))


def tile_power(image: Tensor, pixel_size_A: float) -> Tensor:
    """Hann-windowed power (n, n), unshifted float64, summed over tiles that overlap by half.

    Tiles are of TILE_A but at most half as wide as the image, whose area one window would waste.
    """
    side = _tile_px(image, pixel_size_A)
    hann = torch.hann_window(side, dtype=torch.float64)
    window = hann[:, None] * hann[None, :]
    power = torch.zeros(side, side, dtype=torch.float64)
    rows, columns = (_starts(int(length), side) for length in image.shape)
    for y in rows:
        tiles = torch.stack([image[y : y + side, x : x + side] for x in columns]).double()
        tiles -= tiles.mean((-2, -1), keepdim=True)
        power += torch.fft.fft2(tiles * window).abs().square().sum(0)
    return power


def _starts(length: int, side: int) -> list[int]:
    count = ceil((length - side) / (side // 2)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _tile_px(image: Tensor, pixel_size_A: float) -> int:
    return int(min(ceil(TILE_A / pixel_size_A), min(image.shape) // 2) // 2 * 2)


def _band(pixel_size_A: float) -> tuple[float, float]:
    """Cycles a pixel."""
    low, high = (edge * pixel_size_A for edge in _BAND_PER_A)
    return low, min(high, _HIGHEST_CYCLES_PER_PX)


def _phase(k2: Array, lens: Lens) -> tuple[Array, Array]:
    """(cells,) phase without defocus, and phase per angstrom of defocus."""

    def number(value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float64)

    def at(defocus_um: float) -> Array:
        phase: Array = calculate_total_phase_shift(
            defocus_um=number(defocus_um),
            voltage_kv=number(lens.voltage_kV),
            spherical_aberration_mm=number(lens.cs_mm),
            phase_shift_degrees=number(lens.phase_shift_deg),
            amplitude_contrast_fraction=number(lens.amplitude_contrast),
            fftfreq_grid_angstrom_squared=torch.from_numpy(k2),
        ).numpy()
        return phase

    return at(0.0), (at(1.0) - at(0.0)) / 1e4


def _background(k2: Array, turns: Array, weight: Array) -> Array:
    """Orthonormal weighted (cells, 10)."""
    k = np.sqrt(k2)
    span = np.interp(k, [k.min(), k.max()], [-1, 1])
    radial = np.polynomial.legendre.legvander(span, _DEGREE)
    slow = radial[:, : _SYMMETRIC_DEGREE + 1]
    columns = [radial, slow * turns[1][:, None], slow * turns[2][:, None]]
    basis: Array = np.linalg.qr(np.hstack(columns) * weight[:, None])[0]
    return basis
