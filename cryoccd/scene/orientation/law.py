"""What every law of orientation is."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray


class OrientationLaw(ABC):
    """Draws the orientations of particles that their placement leaves free."""

    @abstractmethod
    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Orientations of n particles.

        Args:
            height: (n,) position in the ice from -1 at its lower face to 1 at the face towards the
                electron source; only laws of the air-water interface look at more than n.
            generator: source of randomness.

        Returns:
            (n, 3) RELION rot, tilt, psi in degrees; rot and psi in [-180, 180), tilt in [0, 180].
        """
