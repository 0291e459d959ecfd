"""Defocus, astigmatism and resolution of the Thon rings of an image.

As in CTFFIND (Rohou & Grigorieff 2015, J. Struct. Biol. 192, 216) the power spectrum is compared
with CTF² by normalised correlation, here in the cells of `ring_cells`. The mean defocus is scanned
without astigmatism, then a grid in (mean, (u - v) / 2 (cos, sin) of twice the angle) about the
best, then a simplex goes on. In these coordinates no angle is singular.

Noise without rings has a best fit too. Its score falls with the number of cells n: of 500 fields
of 128 to 1024 px, 2 reach 6 / sqrt(n), both with white noise and with two smooth colours. But a
spectrum with a shoulder, which no polynomial follows, reaches it in 1 of 70 fields of 256 px and,
averaged over the tiles of 1024 px, in many: there a score under 9 / sqrt(n) is no proof.
"""

from dataclasses import dataclass
from math import atan2, degrees, hypot, inf, pi, sqrt

import numpy as np
from scipy.optimize import minimize
from scipy.signal import detrend
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.lens import Lens
from cryoccd.imaging.ring_cells import LEAST_RINGS, Array, RingCells, rings_in_band, tile_power

_SCAN_A, _GRID_A = 200.0, 250.0
_NOISE = 6.0
_VISIBLE = 0.5
_BINS_PER_RING = 8  # a Thon ring is a phase of pi


@dataclass(frozen=True)
class AstigmaticFit:
    """The CTF that fits an image best.

    Args:
        mean_A: mean defocus, positive = under-focus.
        astigmatism_A: (u - v) / 2 times (cos, sin) of twice the angle.
        score: correlation with CTF², at most 1.
        least_score: what about one in 100 images of noise without rings exceeds.
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
    low_A, high_A = range_A
    if not 0 < low_A < high_A:
        raise CryoccdError(f"defocus: range_A = {range_A}, expected 0 < lowest < highest")
    rings = rings_in_band(image, pixel_size_A)
    if rings < LEAST_RINGS:
        raise CryoccdError(
            f"defocus: {tuple(image.shape)} px of {pixel_size_A:g} A have {rings} Fourier rings "
            f"between 30 and 5 A, expected {LEAST_RINGS}; give larger images or smaller pixels"
        )
    cells = RingCells(tile_power(image, pixel_size_A), pixel_size_A, lens)
    best, score = _search(cells, low_A, high_A)
    least = _NOISE / sqrt(len(cells.k2))
    seen_A = _resolution_A(cells, best) if score >= least else inf
    mean_A, x_A, y_A = (float(value) for value in best)
    return AstigmaticFit(mean_A, (x_A, y_A), score, least, seen_A)


def _search(cells: RingCells, low_A: float, high_A: float) -> tuple[Array, float]:
    """Mean and astigmatism (3,) of the largest score, and that score."""
    means = np.arange(low_A, high_A + _SCAN_A, _SCAN_A)
    scanned = _best(cells, np.stack([means, 0 * means, 0 * means], 1))
    m, x, y = np.meshgrid(np.arange(-3, 4), np.arange(-4, 5), np.arange(-4, 5))
    steps = np.stack([m, x, y], -1)[np.hypot(x, y) <= 4]
    first = _best(cells, scanned + _GRID_A * steps)
    corners = first + np.vstack([np.zeros(3), np.eye(3) * _GRID_A / 2])
    found = minimize(
        lambda point: -cells.scores(point[None])[0],
        first,
        method="Nelder-Mead",
        options={"initial_simplex": corners, "xatol": 0.01, "fatol": 1e-10, "maxiter": 1000},
    )
    best: Array = found.x
    return best, -float(found.fun)


def _best(cells: RingCells, points: Array) -> Array:
    parts = np.array_split(points, len(points) // 64 + 1)  # stay in the cache
    best: Array = points[np.argmax(np.concatenate([cells.scores(part) for part in parts]))]
    return best


def _resolution_A(cells: RingCells, point: Array) -> float:
    phase = cells.phase(point[None])[0]
    rings = np.abs(phase) / pi
    index = np.floor((rings - rings.min()) * _BINS_PER_RING).astype(int)
    total = np.bincount(index, cells.count)

    def profile(values: Array) -> Array:
        sums = np.bincount(index, values * cells.count)
        return sums[total > 0] / total[total > 0]

    seen, model = profile(cells.seen), profile(cells.rest(np.sin(phase) ** 2))
    limit_A = profile(cells.k2) ** -0.5
    for at in range(len(seen)):
        about = slice(max(0, at - _BINS_PER_RING), at + _BINS_PER_RING + 1)
        one, two = (detrend(curve[about]) for curve in (seen, model))
        if one @ two < _VISIBLE * sqrt((one @ one) * (two @ two)):
            return float(limit_A[at - 1]) if at else inf
    return float(limit_A[-1])
