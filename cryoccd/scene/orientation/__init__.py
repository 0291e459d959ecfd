"""How particles are turned: one law a file."""

from cryoccd.scene.orientation.air_water import AirWater
from cryoccd.scene.orientation.bimodal import Bimodal
from cryoccd.scene.orientation.equatorial import Equatorial
from cryoccd.scene.orientation.from_star import FromStar
from cryoccd.scene.orientation.law import OrientationLaw
from cryoccd.scene.orientation.limited_tilt import LimitedTilt
from cryoccd.scene.orientation.preferred_axis import PreferredAxis
from cryoccd.scene.orientation.uniform import Uniform, uniform_so3

__all__ = [
    "AirWater",
    "Bimodal",
    "Equatorial",
    "FromStar",
    "LimitedTilt",
    "OrientationLaw",
    "PreferredAxis",
    "Uniform",
    "uniform_so3",
]
