"""Uniform on SO(3).

The view direction is uniform on the sphere, so cos(tilt) and not tilt is uniform (Miles, Biometrika
52, 636, 1965); rot and psi are uniform and independent of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.scene.orientation.law import OrientationLaw


@dataclass(frozen=True)
class Uniform(OrientationLaw):
    """Every orientation is equally likely."""

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Uniform orientations; see the base class."""
        return uniform_so3(len(height), generator)


def uniform_so3(n: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw n orientations uniform on SO(3).

    Returns:
        (n, 3) RELION rot, tilt, psi in degrees; rot and psi in [-180, 180), tilt in [0, 180].
    """
    rot, psi = generator.uniform(-180.0, 180.0, (2, n))
    tilt = np.rad2deg(np.arccos(generator.uniform(-1.0, 1.0, n)))
    return np.stack([rot, tilt, psi], axis=1)
