"""What a picker sees: one scale for all particles, and a background that is flat everywhere.

Outliers are cut (a hot pixel must not spread), the micrograph is resampled so that a particle has
`diameter_px` pixels across, and the local mean m and standard deviation s are removed,
z = (x - m) / s. Both are Gaussian averages whose sigma is 1.5 diameters, and leave out what lies
beyond 4 standard deviations, at first of the whole field by its MAD, then of the place itself: so a
ruined area does not dim what lies around it. s is at least a fifth of its median, as a blank border
has none. Nothing of it depends on the gain or the offset of the camera.

Pixel centres: resampling keeps the outer edges, so pixel i of n lies at (i + 1/2) N / n - 1/2 in a
micrograph of N pixels.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from cryoccd.errors import CryoccdError
from cryoccd.imaging.slow_field import slow_field

_SIGMA = 1.5  # of the local averages, in diameters
_OUTLIER = 4.0  # standard deviations
_LEAST_SD = 0.2  # of the median one
_LEAST_SPREAD = 0.02  # of the whole field, where most of it is blank
_RARE = 1e-3  # share of pixels of which some may be hot
_HOT = 3.0  # times the reach of the others
_LIMIT = 5.0  # standard deviations: what lies beyond is no particle
_SMALLEST_PX = 4.0  # diameter in the micrograph below which a particle is a dot


@dataclass(frozen=True)
class Grid:
    """The pixels of a micrograph and of what a picker sees of it.

    Args:
        full_px: height and width of the micrograph.
        seen_px: height and width that the picker sees.
    """

    full_px: tuple[int, int]
    seen_px: tuple[int, int]

    def to_full(self, positions_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) x, y in pixels of the micrograph, of positions in what is seen."""
        return (positions_px + 0.5) / self._zoom - 0.5

    def to_seen(self, positions_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) x, y in what is seen, of positions in pixels of the micrograph."""
        return (positions_px + 0.5) * self._zoom - 0.5

    @property
    def _zoom(self) -> NDArray[np.float64]:
        height, width = (s / f for s, f in zip(self.seen_px, self.full_px, strict=True))
        return np.array([width, height])


@dataclass(frozen=True)
class Front:
    """Prepares micrographs for a picker.

    Args:
        particle_diameter_A: diameter of the particles.
        diameter_px: pixels that it has in what is seen.

    Raises:
        CryoccdError: a number out of its range.
    """

    particle_diameter_A: float
    diameter_px: float = 20.0

    def __post_init__(self) -> None:
        if not 0 < self.particle_diameter_A < float("inf"):
            raise CryoccdError(
                f"picker: particle_diameter_A = {self.particle_diameter_A:g}, expected angstrom "
                "above 0"
            )
        if not 8 <= self.diameter_px <= 64:
            raise CryoccdError(f"picker: diameter_px = {self.diameter_px:g}, expected 8 to 64")

    def grid(self, shape_px: tuple[int, int], pixel_size_A: float) -> Grid:
        """The pixels seen of a micrograph.

        Raises:
            CryoccdError: a particle of under 4 px or over half of the micrograph.
        """
        across = self.particle_diameter_A / pixel_size_A
        if not _SMALLEST_PX <= across <= min(shape_px) / 2:
            raise CryoccdError(
                f"picker: particle_diameter_A = {self.particle_diameter_A:g} is {across:.1f} px of "
                f"a {shape_px[0]} x {shape_px[1]} px micrograph, expected 4 px to half of it; "
                "check the diameter and the pixel size"
            )
        height, width = (round(side * self.diameter_px / across) for side in shape_px)
        return Grid((shape_px[0], shape_px[1]), (height, width))

    def see(self, image: NDArray[np.float32], pixel_size_A: float) -> tuple[Tensor, Grid]:
        """What a picker sees of an (h, w) micrograph, and where.

        Returns:
            float32 of local mean 0 and standard deviation 1, cut at +-5; its grid.

        Raises:
            CryoccdError: see `grid`; a value that is not finite, or all are equal.
        """
        values, grid = self.resampled(image, pixel_size_A)
        return flat(values, *self.level(values)), grid

    def resampled(self, image: NDArray[np.float32], pixel_size_A: float) -> tuple[Tensor, Grid]:
        """The first step alone: outliers cut, on the scale of the picker."""
        grid = self.grid((image.shape[0], image.shape[1]), pixel_size_A)
        if not np.isfinite(image).all():
            raise CryoccdError("picker: the micrograph has a value that is not finite; mend it")
        return resize(torch.from_numpy(_bounded(image)), grid), grid

    def level(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Local mean and standard deviation of a resampled micrograph."""
        away = values - self.average(values, torch.ones_like(values, dtype=torch.bool))
        least = _LEAST_SPREAD * float(values.std())
        spread = max(1.4826 * float((away - away.median()).abs().median()), least)
        mean, sd = self._level(values, away.abs() < _OUTLIER * spread, least)
        return self._level(values, (values - mean).abs() < _OUTLIER * sd, least)

    def _level(self, values: Tensor, mask: Tensor, least: float) -> tuple[Tensor, Tensor]:
        mean = self.average(values, mask)
        sd = self.average((values - mean).square(), mask).clamp_min(0).sqrt()
        return mean, sd.clamp_min(max(_LEAST_SD * float(sd.median()), least))

    def average(self, values: Tensor, mask: Tensor) -> Tensor:
        """(h, w) local mean of the values where a mask is true."""
        around = values[mask].mean()  # slow_field leaves it out
        return slow_field(values, mask, _SIGMA * self.diameter_px) + around


def flat(values: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    """Values of local mean 0 and standard deviation 1, cut at +-5."""
    return ((values - mean) / sd).clamp(-_LIMIT, _LIMIT)


def resize(image: Tensor, grid: Grid) -> Tensor:
    """(h, w) resampled, antialiased."""
    resized: Tensor = functional.resize(
        image[None, None], list(grid.seen_px), v2.InterpolationMode.BICUBIC, antialias=True
    )
    return resized[0, 0]


def _bounded(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median 0, hot pixels cut; no other pixel reaches 1."""
    low, middle, high = np.quantile(image, (_RARE, 0.5, 1 - _RARE))
    reach = _HOT * max(high - middle, middle - low)
    if not reach > 0:
        raise CryoccdError("picker: the micrograph is constant; leave it out")
    bounded: NDArray[np.float32] = ((image - middle) / reach).clip(-1, 1).astype(np.float32)
    return bounded
