"""The microscope's settings for one micrograph."""

from dataclasses import dataclass, fields
from math import sqrt

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Optics:
    """Beam and lens of one micrograph.

    Defocus is positive for under-focus; the astigmatism angle is that of the defocus_u axis,
    counter-clockwise from x, as in CTFFIND and RELION.
    """

    voltage_kV: float
    cs_mm: float
    amplitude_contrast: float
    pixel_size_A: float
    defocus_u_A: float
    defocus_v_A: float
    astigmatism_deg: float = 0.0
    phase_shift_deg: float = 0.0

    def __post_init__(self) -> None:
        _within("voltage_kV", self.voltage_kV, 20, 3000, "kV, for example 300")
        _within("cs_mm", self.cs_mm, 0, 20, "mm, for example 2.7")
        _within("amplitude_contrast", self.amplitude_contrast, 0, 1, "a fraction, for example 0.1")
        _within("pixel_size_A", self.pixel_size_A, 1e-3, 1e3, "angstrom per pixel, above 0")
        for field in fields(self):
            if field.name.startswith("defocus"):
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
