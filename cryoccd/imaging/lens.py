"""The microscope as far as all micrographs of a session share it."""

from dataclasses import dataclass
from math import asin, pi, radians

from cryoccd.records import Optics

_PHASE_TOLERANCE_RAD = 0.2
_SETTING_TOLERANCE = 0.01


@dataclass(frozen=True)
class Lens:
    """What fixes the CTF beside the defocus.

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

    def fits(self, optics: Optics) -> bool:
        """Whether the optics of a micrograph have the same rings: to 1 %, and 0.2 of phase."""
        own = Lens(
            optics.voltage_kV, optics.cs_mm, optics.amplitude_contrast, optics.phase_shift_deg
        )
        off_rad = abs((self.phase_rad - own.phase_rad + pi / 2) % pi - pi / 2)
        settings = ((self.voltage_kV, own.voltage_kV), (self.cs_mm, own.cs_mm))
        near = all(abs(a - b) <= _SETTING_TOLERANCE * max(a, b) for a, b in settings)
        return near and off_rad <= _PHASE_TOLERANCE_RAD
