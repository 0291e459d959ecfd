"""Views within a cap: uniform on the sphere where the tilt is at most a limit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import check_within
from cryoccd.scene.orientation.law import OrientationLaw
from cryoccd.scene.orientation.sphere import about, axis_vector, with_uniform_psi


@dataclass(frozen=True)
class LimitedTilt(OrientationLaw):
    """Views uniform in a cap about the particle's z axis: cos(tilt) is uniform in [cos limit, 1].

    Args:
        limit_deg: largest tilt.
    """

    limit_deg: float = 30.0

    def __post_init__(self) -> None:
        check_within("orientation: limit_deg", self.limit_deg, 0, 180, "degrees")

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Views in the cap; see the base class."""
        lowest = np.cos(np.deg2rad(self.limit_deg))
        cosine = generator.uniform(lowest, 1.0, len(height))
        return with_uniform_psi(about(axis_vector(0.0, 0.0), cosine, generator), generator)
