"""What lies in one field of the oracle: particles, ice, crystals, carbon film, focus."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.geometry import matrix_to_euler
from cryoccd.records import Particles
from cryoccd.simulate.oracle_film import draw_film
from cryoccd.simulate.oracle_styles import OracleStyle

MARGIN_PX = 32
"""Final pixels rendered on each side beyond the field, where delocalised signal may wrap."""
FINE = 2
"""Rendered pixels a final pixel along each side."""
_SPREAD = 0.1  # of the logarithm of the number of particles


@dataclass(frozen=True)
class Field:
    """One field on the rendered grid of (h + 2 margin) FINE by (w + 2 margin) FINE pixels.

    Args:
        particles: positions in the frame of the final micrograph; species index the ingredients.
        thickness_A: (H, W) thickness of the ice.
        crystals_A: (H, W) thickness of contaminating crystals.
        film_A: (H, W) thickness of the carbon film, 0 in its hole.
        defocus_A: at the middle of the ice.
    """

    particles: Particles
    thickness_A: Tensor
    crystals_A: Tensor
    film_A: Tensor
    defocus_A: float


def rendered_shape(style: OracleStyle) -> tuple[int, int]:
    """Height and width of the rendered grid in pixels."""
    height, width = style.shape_px
    return (height + 2 * MARGIN_PX) * FINE, (width + 2 * MARGIN_PX) * FINE


def draw_field(style: OracleStyle, rng: np.random.Generator) -> Field:
    """Draw one field of a style."""
    thickness_A = _thickness(style, rng)
    particles = _particles(style, float(thickness_A.median()), rng)
    crystals_A = _crystals(style, rng)
    defocus_A = float(rng.uniform(*style.defocus_A))
    film_A = draw_film(rendered_shape(style), style, rng)
    low_A, _ = _rendered_extent_A(style)
    at = ((particles.positions_A[:, :2] - low_A) * FINE / style.pixel_size_A).astype(int)
    free = film_A.numpy()[at[:, 1], at[:, 0]] == 0
    return Field(particles.take(free), thickness_A, crystals_A, film_A, defocus_A)


def _particles(style: OracleStyle, thickness_A: float, rng: np.random.Generator) -> Particles:
    """Darts thrown at random; a dart that would overlap an earlier particle is lost."""
    low_A, high_A = _rendered_extent_A(style)
    diameters_A = np.array([i.diameter_A for i in style.ingredients])
    abundance = np.array([i.abundance for i in style.ingredients])
    area_um2 = float(np.prod(high_A - low_A)) / 1e8
    wanted = round(style.particles_per_um2 * area_um2 * float(np.exp(rng.normal(0, _SPREAD))))
    centres: list[NDArray[np.float64]] = []
    kinds: list[int] = []
    for _ in range(20 * wanted):
        if len(kinds) == wanted:
            break
        kind = int(rng.choice(len(abundance), p=abundance / abundance.sum()))
        centre = rng.uniform(low_A, high_A)
        reach_A = (diameters_A[kinds] + diameters_A[kind]) / 2
        if not kinds or (np.linalg.norm(np.array(centres) - centre, axis=1) > reach_A).all():
            centres.append(centre)
            kinds.append(kind)
    species = np.array(kinds, dtype=np.int64)
    n = len(species)
    room_A = np.maximum(thickness_A - diameters_A[species], 0) / 2
    height_A = rng.uniform(-1, 1, n) * room_A
    conformations = np.array([len(i.flex) for i in style.ingredients])[species]
    turns = Rotation.random(n, rng=rng).as_matrix() if n else np.zeros((0, 3, 3))
    return Particles(
        positions_A=np.column_stack([np.reshape(centres, (n, 2)), height_A]),
        eulers_deg=matrix_to_euler(torch.from_numpy(turns)).numpy(),
        species=species,
        conformation=rng.integers(0, conformations).astype(np.int64),
    )


def _thickness(style: OracleStyle, rng: np.random.Generator) -> Tensor:
    """Log-normal between micrographs, a tilted plane and smooth noise within one."""
    shape_px = rendered_shape(style)
    smooth = _smooth_field(shape_px, rng, cycles=3)
    angle = rng.uniform(0, 2 * np.pi)
    rows = torch.linspace(-0.5, 0.5, shape_px[0])[:, None]
    columns = torch.linspace(-0.5, 0.5, shape_px[1])[None, :]
    plane = rows * float(np.sin(angle)) + columns * float(np.cos(angle))
    relative = style.thickness_gradient * plane + style.thickness_roughness * smooth
    median_A = style.thickness_A * float(np.exp(style.thickness_spread * rng.standard_normal()))
    return median_A * torch.exp(relative)


def _crystals(style: OracleStyle, rng: np.random.Generator) -> Tensor:
    """Rare caps of crystalline ice with ragged rims, as extra thickness."""
    height_px, width_px = rendered_shape(style)
    pixel_size_A = style.pixel_size_A / FINE
    low_A, high_A = _rendered_extent_A(style)
    rows = torch.arange(height_px)[:, None] * pixel_size_A
    columns = torch.arange(width_px)[None, :] * pixel_size_A
    total_A = torch.zeros(height_px, width_px)
    for _ in range(int(rng.poisson(style.contaminants))):
        x_A, y_A = rng.uniform(0, high_A - low_A)
        radius_A = rng.uniform(*style.contaminant_radius_A)
        dx, dy = columns - float(x_A), rows - float(y_A)
        azimuth = torch.atan2(dy, dx)
        rim = torch.ones_like(azimuth)
        for order in range(2, 7):
            phase = float(rng.uniform(0, 2 * np.pi))
            rim += float(rng.normal(0, 0.2 / order)) * torch.cos(order * azimuth + phase)
        inside = (1 - (dx**2 + dy**2) / (radius_A * rim) ** 2).clamp(min=0)
        total_A += radius_A * inside.sqrt()
    return total_A


def _smooth_field(shape_px: tuple[int, int], rng: np.random.Generator, cycles: float) -> Tensor:
    """Gaussian field of unit variance with a few cycles a side."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    coarse = tuple(ceil(side / 16) for side in shape_px)
    noise = torch.randn(coarse, generator=generator)
    radius = radial_frequency((coarse[0], coarse[1]), rfft=True) * min(coarse)
    filtered = torch.fft.irfft2(
        torch.fft.rfft2(noise) * torch.exp(-((radius / cycles) ** 2)), s=coarse
    )
    fine = torch.nn.functional.interpolate(
        (filtered / filtered.std())[None, None], size=shape_px, mode="bicubic", align_corners=False
    )
    return fine[0, 0]


def _rendered_extent_A(style: OracleStyle) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest x, y of the rendered grid in the frame of the micrograph."""
    height, width = style.shape_px
    low_A = np.full(2, -MARGIN_PX * style.pixel_size_A)
    high_A = (np.array([width, height]) + MARGIN_PX) * style.pixel_size_A
    return low_A, high_A
