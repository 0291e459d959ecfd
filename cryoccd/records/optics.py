"""The microscope's settings for one micrograph."""

from dataclasses import dataclass, fields
from math import sqrt

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Optics:
    """Beam and lens of one micrograph.

    Defocus is positive for under-focus; the astigmatism angle is that of the defocus_u axis,
    counter-clockwise from x, as in CTFFIND and RELION. What is 0 by default is absent.

    Args:
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction of amplitude contrast.
        pixel_size_A: pixel size.
        defocus_u_A: larger defocus, in the middle of the ice.
        defocus_v_A: the other one, perpendicular to it.
        astigmatism_deg: angle of the u axis.
        phase_shift_deg: phase shift of a phase plate.
        beam_tilt_x_mrad: tilt of the beam, which gives axial coma; RELION's rlnBeamTiltX.
        beam_tilt_y_mrad: the same along y.
        convergence_mrad: semi-angle of illumination: spatial envelope.
        defocus_spread_A: standard deviation of the defocus (energy spread and lens current through
            the chromatic aberration): temporal envelope.
        b_factor_A2: further Gaussian envelope exp(-B k^2 / 4) of the image.
    """

    voltage_kV: float
    cs_mm: float
    amplitude_contrast: float
    pixel_size_A: float
    defocus_u_A: float
    defocus_v_A: float
    astigmatism_deg: float = 0.0
    phase_shift_deg: float = 0.0
    beam_tilt_x_mrad: float = 0.0
    beam_tilt_y_mrad: float = 0.0
    convergence_mrad: float = 0.0
    defocus_spread_A: float = 0.0
    b_factor_A2: float = 0.0

    def __post_init__(self) -> None:
        _within("voltage_kV", self.voltage_kV, 20, 3000, "kV, for example 300")
        _within("cs_mm", self.cs_mm, 0, 20, "mm, for example 2.7")
        _within("amplitude_contrast", self.amplitude_contrast, 0, 1, "a fraction, for example 0.1")
        _within("pixel_size_A", self.pixel_size_A, 1e-3, 1e3, "angstrom per pixel, above 0")
        _within("phase_shift_deg", self.phase_shift_deg, -360, 360, "degrees")
        for name in ("beam_tilt_x_mrad", "beam_tilt_y_mrad"):
            _within(name, getattr(self, name), -100, 100, "mrad, for example 0.5")
        _within("convergence_mrad", self.convergence_mrad, 0, 10, "mrad, for example 0.05")
        _within("defocus_spread_A", self.defocus_spread_A, 0, 1e4, "angstrom, for example 60")
        _within("b_factor_A2", self.b_factor_A2, 0, 1e5, "square angstrom, for example 50")
        for field in fields(self):
            if field.name in ("defocus_u_A", "defocus_v_A"):
                _within(field.name, getattr(self, field.name), -2e5, 2e5, "angstrom, 20000 = 2 um")

    @property
    def wavelength_A(self) -> float:
        """Relativistic electron wavelength (Reimer & Kohl 2008, eq. 2.12)."""
        volts = self.voltage_kV * 1e3
        return 12.2643247 / sqrt(volts * (1 + 0.978466e-6 * volts))

    @property
    def interaction_rad_per_V_A(self) -> float:
        """Interaction constant sigma: phase per projected potential (Kirkland 2010, eq. 5.6)."""
        rest_kV = 510.998950
        ratio = (rest_kV + self.voltage_kV) / (2 * rest_kV + self.voltage_kV)
        return 2 * 3.141592653589793 * ratio / (self.wavelength_A * self.voltage_kV * 1e3)


def _within(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise CryoccdError(f"optics: {name} = {value}, expected {low:g} to {high:g} ({unit})")
