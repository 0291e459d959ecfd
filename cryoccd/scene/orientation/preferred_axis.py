"""A preferred view: von Mises-Fisher on the sphere.

The density of the view direction is proportional to exp(kappa cos(angle to the axis)); the
distribution of c = cos is (exp(kappa c) - exp(-kappa)) / (exp(kappa) - exp(-kappa)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import check_within
from cryoccd.scene.orientation.law import OrientationLaw
from cryoccd.scene.orientation.sphere import (
    about,
    axis_vector,
    von_mises_fisher_cosine,
    with_uniform_psi,
)


@dataclass(frozen=True)
class PreferredAxis(OrientationLaw):
    """Views scatter about one axis of the particle.

    Args:
        kappa: concentration; 0 is uniform, 10 spreads over about 25 degrees.
        rot_deg: azimuth of the axis in the particle's frame.
        tilt_deg: its polar angle; 0 is the z axis of the map.
    """

    kappa: float = 10.0
    rot_deg: float = 0.0
    tilt_deg: float = 0.0

    def __post_init__(self) -> None:
        check_within("orientation: kappa", self.kappa, 0, 1e6, "a concentration, for example 10")
        check_within("orientation: rot_deg", self.rot_deg, -360, 360, "degrees")
        check_within("orientation: tilt_deg", self.tilt_deg, 0, 180, "degrees")

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Views about the axis; see the base class."""
        cosine = von_mises_fisher_cosine(self.kappa, len(height), generator)
        views = about(axis_vector(self.rot_deg, self.tilt_deg), cosine, generator)
        return with_uniform_psi(views, generator)
