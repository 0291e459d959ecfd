"""Side views: a Watson girdle.

The density of the view direction is proportional to exp(-kappa cos^2(tilt)) (Watson 1965), so that
cos(tilt) is a normal of variance 1 / (2 kappa) cut at +-1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import truncnorm

from cryoccd.errors import check_within
from cryoccd.scene.orientation.law import OrientationLaw
from cryoccd.scene.orientation.sphere import about, axis_vector, with_uniform_psi


@dataclass(frozen=True)
class Equatorial(OrientationLaw):
    """Views scatter about the equator of the particle.

    Args:
        kappa: concentration; 15 keeps 95 % of the views within 21 degrees of the equator.
    """

    kappa: float = 15.0

    def __post_init__(self) -> None:
        check_within("orientation: kappa", self.kappa, 1e-3, 1e6, "a concentration, for example 15")

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Views along the girdle; see the base class."""
        sigma = np.sqrt(0.5 / self.kappa)
        law = truncnorm(-1 / sigma, 1 / sigma, scale=sigma)
        cosine = law.ppf(generator.uniform(0, 1, len(height)))
        return with_uniform_psi(about(axis_vector(0.0, 0.0), cosine, generator), generator)
