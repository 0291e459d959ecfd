"""The microscope of a set, and its settings for one micrograph."""

from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_range, check_within
from cryoccd.records import Optics


@dataclass(frozen=True)
class OpticsConfig:
    """The microscope and the ranges of what changes from one micrograph to the next.

    Args:
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction of amplitude contrast.
        defocus_A: least and largest mean defocus of a micrograph, uniform, positive = under-focus.
        astigmatism_A: least and largest difference of the two defoci, at a random angle.
        phase_shift_deg: least and largest phase shift of a phase plate.
        beam_tilt_mrad: x and y tilt of the beam, which gives axial coma.
        convergence_mrad: semi-angle of illumination, spatial envelope.
        defocus_spread_A: standard deviation of the defocus, temporal envelope.
        b_factor_A2: further Gaussian envelope exp(-B k^2 / 4) of the image.
    """

    voltage_kV: float = 300.0
    cs_mm: float = 2.7
    amplitude_contrast: float = 0.1
    defocus_A: tuple[float, float] = (10000.0, 25000.0)
    astigmatism_A: tuple[float, float] = (0.0, 500.0)
    phase_shift_deg: tuple[float, float] = (0.0, 0.0)
    beam_tilt_mrad: tuple[float, float] = (0.0, 0.0)
    convergence_mrad: float = 0.0
    defocus_spread_A: float = 0.0
    b_factor_A2: float = 0.0

    def __post_init__(self) -> None:
        check_within("optics: voltage_kV", self.voltage_kV, 20, 3000, "kV, for example 300")
        check_within("optics: cs_mm", self.cs_mm, 0, 20, "mm, for example 2.7")
        check_within("optics: amplitude_contrast", self.amplitude_contrast, 0, 1, "a fraction")
        check_range("optics: defocus_A", self.defocus_A, 100, 1e5, "angstrom, 1 um = 10000")
        check_range("optics: astigmatism_A", self.astigmatism_A, 0, 2e4, "angstrom")
        check_range("optics: phase_shift_deg", self.phase_shift_deg, 0, 180, "degrees")
        for value in self.beam_tilt_mrad:
            check_within("optics: beam_tilt_mrad", value, -100, 100, "mrad, for example 0.5")
        check_within("optics: convergence_mrad", self.convergence_mrad, 0, 10, "mrad")
        check_within("optics: defocus_spread_A", self.defocus_spread_A, 0, 1e4, "angstrom")
        check_within("optics: b_factor_A2", self.b_factor_A2, 0, 1e5, "square angstrom")


def draw_optics(
    config: OpticsConfig, pixel_size_A: float, generator: np.random.Generator
) -> Optics:
    """Optics of one micrograph: each range uniform, the angle of the astigmatism at random."""
    mean_A = generator.uniform(*config.defocus_A)
    difference_A = generator.uniform(*config.astigmatism_A)
    astigmatism_deg = generator.uniform(0.0, 180.0)
    low_deg, high_deg = config.phase_shift_deg
    return Optics(
        voltage_kV=config.voltage_kV,
        cs_mm=config.cs_mm,
        amplitude_contrast=config.amplitude_contrast,
        pixel_size_A=pixel_size_A,
        defocus_u_A=mean_A + difference_A / 2,
        defocus_v_A=mean_A - difference_A / 2,
        astigmatism_deg=astigmatism_deg,
        phase_shift_deg=low_deg if low_deg == high_deg else generator.uniform(low_deg, high_deg),
        beam_tilt_x_mrad=config.beam_tilt_mrad[0],
        beam_tilt_y_mrad=config.beam_tilt_mrad[1],
        convergence_mrad=config.convergence_mrad,
        defocus_spread_A=config.defocus_spread_A,
        b_factor_A2=config.b_factor_A2,
    )
