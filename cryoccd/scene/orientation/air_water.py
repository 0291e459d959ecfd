"""Views of particles that cling to the air-water interface with one face.

At the face of the ice towards the source one axis of the particle points out of the ice, along the
view; at the other face it points out as well, against the view. Between the faces, and for the
share that does not cling, the law is uniform.
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
class AirWater(OrientationLaw):
    """One side of the particle outwards at each interface, uniform in between.

    Args:
        kappa: concentration about the axis.
        free: share of the particles at an interface that do not cling.
        within: particles higher than this, of the room from the middle (0) to the face (1), are
            at the interface.
        rot_deg: azimuth of the axis in the particle's frame.
        tilt_deg: its polar angle.
    """

    kappa: float = 20.0
    free: float = 0.1
    within: float = 0.8
    rot_deg: float = 0.0
    tilt_deg: float = 0.0

    def __post_init__(self) -> None:
        check_within("orientation: kappa", self.kappa, 0, 1e6, "a concentration, for example 20")
        check_within("orientation: free", self.free, 0, 1, "a share")
        check_within("orientation: within", self.within, 0, 1, "a share of the room")
        check_within("orientation: rot_deg", self.rot_deg, -360, 360, "degrees")
        check_within("orientation: tilt_deg", self.tilt_deg, 0, 180, "degrees")

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Views by height in the ice; see the base class."""
        n = len(height)
        bound = (np.abs(height) >= self.within) & (generator.uniform(0, 1, n) >= self.free)
        clinging = np.sign(height) * von_mises_fisher_cosine(self.kappa, n, generator)
        cosine = np.where(bound, clinging, generator.uniform(-1, 1, n))
        views = about(axis_vector(self.rot_deg, self.tilt_deg), cosine, generator)
        return with_uniform_psi(views, generator)
