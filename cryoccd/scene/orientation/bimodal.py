"""Two opposite preferred views: a mixture of two von Mises-Fisher laws."""

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
class Bimodal(OrientationLaw):
    """Views scatter about an axis of the particle or about its opposite.

    Args:
        kappa: concentration about each.
        weight: share of the views along the axis; the rest have its opposite.
        rot_deg: azimuth of the axis in the particle's frame.
        tilt_deg: its polar angle.
    """

    kappa: float = 20.0
    weight: float = 0.5
    rot_deg: float = 0.0
    tilt_deg: float = 0.0

    def __post_init__(self) -> None:
        check_within("orientation: kappa", self.kappa, 0, 1e6, "a concentration, for example 20")
        check_within("orientation: weight", self.weight, 0, 1, "a share")
        check_within("orientation: rot_deg", self.rot_deg, -360, 360, "degrees")
        check_within("orientation: tilt_deg", self.tilt_deg, 0, 180, "degrees")

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Views about either end of the axis; see the base class."""
        n = len(height)
        cosine = von_mises_fisher_cosine(self.kappa, n, generator)
        sign = np.where(generator.uniform(0, 1, n) < self.weight, 1.0, -1.0)
        views = about(axis_vector(self.rot_deg, self.tilt_deg), sign * cosine, generator)
        return with_uniform_psi(views, generator)
