"""Thickness of the vitreous ice.

The mean of a micrograph is log-normal over the set; within a micrograph the log of the thickness
follows a smooth fractal field, a sum of octaves of bicubic value noise whose amplitude halves as
the frequency doubles.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from cryoccd.errors import CryoccdError

_OCTAVES = 4


@dataclass(frozen=True)
class IceConfig:
    """Model of the ice.

    Args:
        median_A: median over micrographs of the mean thickness.
        sigma_log: standard deviation of the log of that mean.
        roughness: standard deviation of the log thickness inside one micrograph.
        minimum_A: no place is thinner.
        wedge: rise of the thickness across the field, of its mean, in a random direction.
    """

    median_A: float = 400.0
    sigma_log: float = 0.25
    roughness: float = 0.1
    minimum_A: float = 100.0
    wedge: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.minimum_A <= self.median_A <= 1e4:
            raise CryoccdError(
                f"ice: minimum_A = {self.minimum_A}, median_A = {self.median_A}, expected "
                "1 <= minimum_A <= median_A <= 10000 (angstrom, for example 100 and 400)"
            )
        if not 0 <= self.wedge <= 1.8:
            raise CryoccdError(f"ice: wedge = {self.wedge}, expected 0 to 1.8 (of the mean)")
        for name in ("sigma_log", "roughness"):
            if not 0 <= getattr(self, name) <= 2:
                raise CryoccdError(
                    f"ice: {name} = {getattr(self, name)}, expected 0 to 2 (of log thickness)"
                )


def draw_thickness_A(
    config: IceConfig, shape_px: tuple[int, int], generator: np.random.Generator
) -> NDArray[np.float32]:
    """Thickness of one micrograph of shape_px (height, width), at an eighth of its size.

    Returns:
        (ceil(height / 8), ceil(width / 8)) thickness in angstrom.
    """
    mean_A = config.median_A * np.exp(config.sigma_log * generator.standard_normal())
    height, width = (-(-side // 8) for side in shape_px)
    factor = np.exp(config.roughness * _fractal(height, width, generator))
    if config.wedge:
        factor = factor * _wedge(config.wedge, height, width, generator)
    thickness_A = np.maximum(mean_A * factor / factor.mean(), config.minimum_A)
    return np.asarray(thickness_A, dtype=np.float32)


def _wedge(
    rise: float, height: int, width: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Plane of mean 1 that rises by `rise` across the field."""
    azimuth = generator.uniform(0, 2 * np.pi)
    y = np.linspace(-0.5, 0.5, height)[:, None] * np.sin(azimuth)
    x = np.linspace(-0.5, 0.5, width)[None, :] * np.cos(azimuth)
    return np.asarray(1 + rise * (x + y))


def _fractal(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Smooth field of mean 0 and standard deviation 1."""
    total = torch.zeros(height, width, dtype=torch.float64)
    for octave in range(1, _OCTAVES + 1):
        cells = 2**octave / max(height, width)
        knots = generator.standard_normal(
            (1, 1, max(2, round(height * cells) + 1), max(2, round(width * cells) + 1))
        )
        smooth = interpolate(
            torch.from_numpy(knots), size=(height, width), mode="bicubic", align_corners=True
        )
        total += smooth[0, 0] / 2**octave
    spread = float(total.std(correction=0))
    return ((total - total.mean()) / max(spread, 1e-12)).numpy()
