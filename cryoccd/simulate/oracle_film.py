"""The oracle's carbon film: the edge of its hole, its dark body and its grain.

A film of amorphous carbon of thickness t (0 in the hole) adds to the projected potential

    V = (9.0 - 4.9) V t  +  a random field of spectrum rho t F_C(k)²

the first with the mean inner potentials of carbon and of the water that it displaces (Harscher &
Lichte 1998, 9 to 10 V; the step makes Fresnel fringes), the second of independent atoms of density
rho (2 g/cm³), as the ice has it of waters. It takes away exp(-t / Lambda), Lambda = 1200 A.
"""

import numpy as np
import torch
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.simulate.oracle_specimen import POTENTIAL_V_A2, scattering_factor_A
from cryoccd.simulate.oracle_styles import OracleStyle

FILM_V = 9.0 - 4.9
FILM_LOSS_PER_A = 1 / 1200
_CARBON_PER_A3 = 0.1
_RADIUS_A = (4000.0, 6000.0)  # of the hole
_EDGE_A = 25.0  # over which the film grows to its thickness


def draw_film(shape_px: tuple[int, int], style: OracleStyle, rng: np.random.Generator) -> Tensor:
    """(H, W) thickness of the film, all 0 in micrographs that do not show it.

    The rim of a round hole with a slight ripple crosses the field: between nothing and three
    quarters of it are film.
    """
    thickness_A = torch.zeros(shape_px)
    if not style.film_chance or rng.uniform() > style.film_chance:
        return thickness_A
    fine_A = style.pixel_size_A * style.shape_px[0] / shape_px[0]
    rows = (torch.arange(shape_px[0]) - shape_px[0] / 2)[:, None] * fine_A
    columns = (torch.arange(shape_px[1]) - shape_px[1] / 2)[None, :] * fine_A
    radius_A, angle = rng.uniform(*_RADIUS_A), rng.uniform(0, 2 * np.pi)
    half_A = fine_A * min(shape_px) / 2
    rim_A = rng.uniform(-0.4, 0.8) * half_A  # of the rim from the middle of the field
    dx = columns + float((radius_A - rim_A) * np.cos(angle))
    dy = rows + float((radius_A - rim_A) * np.sin(angle))
    azimuth = torch.atan2(dy, dx)
    ripple = sum(
        float(rng.normal(0, 12.0)) * torch.cos(order * azimuth + float(rng.uniform(0, 2 * np.pi)))
        for order in (17, 31, 53)
    )
    beyond_A = torch.hypot(dx, dy) - radius_A - ripple
    return style.film_thickness_A * (beyond_A / _EDGE_A).clamp(0, 1)


def film_grain(thickness_A: Tensor, pixel_size_A: float, generator: torch.Generator) -> Tensor:
    """rfft2 of the potential in V A of the atoms of an (H, W) film."""
    shape = (int(thickness_A.shape[0]), int(thickness_A.shape[1]))
    k = radial_frequency(shape, rfft=True) / pixel_size_A
    transfer = POTENTIAL_V_A2 * scattering_factor_A("C", k**2) * _CARBON_PER_A3**0.5 / pixel_size_A
    noise = torch.randn(shape, generator=generator) * thickness_A.sqrt()
    spectrum: Tensor = torch.fft.rfft2(noise) * transfer
    return spectrum
