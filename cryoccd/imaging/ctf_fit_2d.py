"""Defocus, astigmatism and resolution of the Thon rings of an image.

The power spectrum of half-overlapping Hann tiles is averaged over cells, one ring by ten degrees,
and compared with CTF² by normalised correlation (CTFFIND; Rohou & Grigorieff 2015, J. Struct. Biol.
192, 216). As in `ctf_fit`, which has no astigmatism, the logarithm is taken and both lose the same
smooth background by projection, each cell weighted by its number of samples. The background has
degree 5 in the frequency: with 3 the spectrum of coloured noise without rings leaves some of its
own. A part cos 2a and sin 2a times degree 1 keeps noise of two-fold symmetry, as of drift, from
being taken for astigmatism.

The phase of a cell is linear in its defocus, p = p0 + p1 (m + x cos 2a + y sin 2a) with the mean m
and (x, y) = (u - v) / 2 (cos, sin) 2 angle, which has no singular angle: torch-ctf is asked once.
The mean is scanned without astigmatism, then a grid about the best, then a simplex goes on.
"""

from dataclasses import dataclass
from math import asin, atan2, ceil, degrees, hypot, inf, pi, radians, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch_ctf import calculate_total_phase_shift

from cryoccd.errors import CryoccdError
from cryoccd.fourier import frequency_grid

Array = NDArray[np.float64]

TILE_A = 1024.0  # resolves the rings of 5 um at 5 A
LEAST_RINGS = 12  # of Fourier samples in the band
_BAND_PER_A = (1 / 30, 1 / 5)  # below it particles, above it little but noise
_HIGHEST_CYCLES_PER_PX = 0.45
_SECTORS = 18
_SCAN_A, _GRID_A = 200.0, 250.0
_VISIBLE = 0.5
_BINS_PER_TURN = 8  # of the phase by pi: of one Thon ring
_NOISE = 6.0  # scores of noise without rings are below this over sqrt(cells), but for one in 100


@dataclass(frozen=True)
class Lens:
    """What a microscope has in common for all its micrographs.

    Args:
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction.
        phase_shift_deg: of a phase plate.
    """

    voltage_kV: float
    cs_mm: float
    amplitude_contrast: float
    phase_shift_deg: float = 0.0

    @property
    def phase_rad(self) -> float:
        """Phase of the amplitude contrast and of the plate together; CTF² has it modulo pi."""
        return asin(self.amplitude_contrast) + radians(self.phase_shift_deg)


@dataclass(frozen=True)
class AstigmaticFit:
    """The CTF that fits an image best.

    Args:
        mean_A: mean defocus, positive = under-focus.
        astigmatism_A: (u - v) / 2 times (cos, sin) of twice the angle.
        score: correlation with CTF², at most 1.
        least_score: what one in 100 images of noise without rings exceeds.
        resolution_A: to which rings are seen: along a profile that follows the astigmatic rings,
            where the correlation over the two rings about falls under 0.5; inf where none is seen.
    """

    mean_A: float
    astigmatism_A: tuple[float, float]
    score: float
    least_score: float
    resolution_A: float

    @property
    def has_rings(self) -> bool:
        """Whether the rings are more than chance; if not, the defocus means nothing."""
        return self.score >= self.least_score

    @property
    def defocus_u_A(self) -> float:
        """The larger defocus."""
        return self.mean_A + hypot(*self.astigmatism_A)

    @property
    def defocus_v_A(self) -> float:
        """The smaller defocus, perpendicular to it."""
        return self.mean_A - hypot(*self.astigmatism_A)

    @property
    def angle_deg(self) -> float:
        """Angle of the u axis from x towards y, as in `records.Optics`; 0 to 180."""
        return degrees(atan2(self.astigmatism_A[1], self.astigmatism_A[0])) / 2 % 180


def fit_ctf(
    image: Tensor, pixel_size_A: float, lens: Lens, range_A: tuple[float, float] = (5000, 60000)
) -> AstigmaticFit:
    """Defocus and astigmatism of one image.

    Args:
        image: (h, w), any scale and offset.
        pixel_size_A: pixel size.
        lens: the microscope.
        range_A: mean defocus searched, lowest and highest.

    Raises:
        CryoccdError: the image is constant or has under LEAST_RINGS, or the range is empty.
    """
    if not 0 < range_A[0] < range_A[1]:
        raise CryoccdError(f"defocus: range_A = {range_A}, expected 0 < lowest < highest")
    rings = rings_in_band(image, pixel_size_A)
    if rings < LEAST_RINGS:
        raise CryoccdError(
            f"defocus: {tuple(image.shape)} px of {pixel_size_A:g} A have {rings} Fourier rings "
            f"between 30 and 5 A, expected {LEAST_RINGS}; give larger images or smaller pixels"
        )
    return _Spectrum(tile_power(image, pixel_size_A), pixel_size_A, lens).fit(*range_A)


def rings_in_band(image: Tensor, pixel_size_A: float) -> int:
    """How many rings of Fourier samples there are to fit; at least LEAST_RINGS are needed."""
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
    steps = [ceil((length - side) / (side // 2)) + 1 for length in image.shape]
    rows, columns = (
        [round(start) for start in np.linspace(0, length - side, count)]
        for length, count in zip(image.shape, steps, strict=True)
    )
    for y in rows:
        tiles = torch.stack([image[y : y + side, x : x + side] for x in columns]).double()
        tiles -= tiles.mean((-2, -1), keepdim=True)
        power += torch.fft.fft2(tiles * window).abs().square().sum(0)
    return power


class _Spectrum:
    """Logarithm of the power in cells of the half plane, without its background."""

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
        self.count = count[filled].astype(float)
        self.weight = np.sqrt(self.count)

        def mean(values: Array) -> Array:
            return np.bincount(cell, values)[filled] / self.count

        self.k2 = mean((radius / pixel_size_A) ** 2)
        self.turns = np.stack(
            [np.ones_like(self.k2), mean(np.cos(2 * angle)), mean(np.sin(2 * angle))]
        )
        self.p0, self.p1 = _phase(self.k2, lens)
        self.basis = _background(self.k2, self.turns, self.weight)
        seen = mean(power.numpy()[keep])
        if seen.mean() == 0:
            raise CryoccdError("defocus: no power between 30 and 5 A; is the image constant?")
        self.seen = self._rest(np.log(np.maximum(seen, 1e-12 * seen.mean())))

    def fit(self, low_A: float, high_A: float) -> AstigmaticFit:
        """Best of a range of mean defoci."""
        means = np.arange(low_A, high_A + _SCAN_A, _SCAN_A)
        scanned = self._best(np.stack([means, 0 * means, 0 * means], 1))
        m, x, y = np.meshgrid(np.arange(-3, 4), np.arange(-4, 5), np.arange(-4, 5))
        steps = np.stack([m, x, y], -1)[np.hypot(x, y) <= 4]
        first = self._best(scanned + _GRID_A * steps)
        corners = first + np.vstack([np.zeros(3), np.eye(3) * _GRID_A / 2])
        best = minimize(
            lambda point: -self.scores(point[None])[0],
            first,
            method="Nelder-Mead",
            options={"initial_simplex": corners, "xatol": 0.01, "fatol": 1e-10, "maxiter": 1000},
        )
        mean_A, x_A, y_A = (float(value) for value in best.x)
        score, least = -float(best.fun), _NOISE / sqrt(len(self.k2))
        seen_A = self._resolution_A(best.x) if score >= least else inf
        return AstigmaticFit(mean_A, (x_A, y_A), score, least, seen_A)

    def scores(self, points: Array) -> Array:
        """(n,) correlations with CTF² for (n, 3) mean and astigmatism."""
        model = self._rest(np.sin(self.phase(points)) ** 2)
        found: Array = model @ self.seen / np.linalg.norm(model, axis=1)
        return found / float(np.linalg.norm(self.seen))

    def phase(self, points: Array) -> Array:
        """(n, cells) phase of the CTF."""
        return self.p0 + self.p1 * (points @ self.turns)

    def _best(self, points: Array) -> Array:
        parts = np.array_split(points, len(points) // 64 + 1)  # stay in the cache
        best: Array = points[np.argmax(np.concatenate([self.scores(part) for part in parts]))]
        return best

    def _rest(self, curves: Array) -> Array:
        weighted = curves * self.weight
        rest: Array = weighted - (weighted @ self.basis) @ self.basis.T
        return rest

    def _resolution_A(self, point: Array) -> float:
        phase = self.phase(point[None])[0]
        turns = np.abs(phase) / pi * _BINS_PER_TURN
        index = (turns - turns.min()).astype(int)
        total = np.bincount(index, self.count)

        def profile(values: Array) -> Array:
            sums: Array = np.bincount(index, values * self.count)
            return sums[total > 0] / total[total > 0]

        seen = profile(self.seen / self.weight)
        model = profile(self._rest(np.sin(phase) ** 2) / self.weight)
        limit_A = profile(self.k2) ** -0.5
        for at in range(len(seen)):
            about = slice(max(0, at - _BINS_PER_TURN), at + _BINS_PER_TURN + 1)
            if np.corrcoef(seen[about], model[about])[0, 1] < _VISIBLE:
                return float(limit_A[at - 1]) if at else inf
        return float(limit_A[-1])


def _tile_px(image: Tensor, pixel_size_A: float) -> int:
    return min(ceil(TILE_A / pixel_size_A), min(image.shape) // 2) // 2 * 2


def _band(pixel_size_A: float) -> tuple[float, float]:
    """Cycles a pixel."""
    low, high = (edge * pixel_size_A for edge in _BAND_PER_A)
    return low, min(high, _HIGHEST_CYCLES_PER_PX)


def _phase(k2: Array, lens: Lens) -> tuple[Array, Array]:
    """(cells,) phase without defocus, and phase per angstrom of defocus."""

    def at(defocus_um: float) -> Array:
        settings = (defocus_um, lens.voltage_kV, lens.cs_mm, lens.phase_shift_deg)
        numbers = [torch.tensor(x).double() for x in (*settings, lens.amplitude_contrast)]
        phase: Array = calculate_total_phase_shift(*numbers, torch.from_numpy(k2)).numpy()
        return phase

    return at(0.0), (at(1.0) - at(0.0)) / 1e4


def _background(k2: Array, turns: Array, weight: Array) -> Array:
    """Orthonormal weighted (cells, 10)."""
    k = np.sqrt(k2)
    radial = np.polynomial.legendre.legvander(np.interp(k, [k.min(), k.max()], [-1, 1]), 5)
    columns = [radial, radial[:, :2] * turns[1][:, None], radial[:, :2] * turns[2][:, None]]
    basis: Array = np.linalg.qr(np.hstack(columns) * weight[:, None])[0]
    return basis
