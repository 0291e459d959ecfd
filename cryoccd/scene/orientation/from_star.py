"""The orientations of a real refinement, resampled from its RELION STAR file."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import check_within
from cryoccd.io.star import read_star_table
from cryoccd.scene.orientation.law import OrientationLaw

_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")


@dataclass(frozen=True)
class FromStar(OrientationLaw):
    """Angles drawn with replacement from the particles of a STAR file.

    Args:
        path: RELION STAR file, of version 3.0 or later, with rlnAngleRot, rlnAngleTilt and
            rlnAnglePsi.
        jitter_deg: standard deviation added to each angle.
    """

    path: Path
    jitter_deg: float = 0.0

    def __post_init__(self) -> None:
        check_within("orientation: jitter_deg", self.jitter_deg, 0, 90, "degrees")
        _angles(self.path)

    def draw(
        self, height: NDArray[np.float64], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Resampled angles; see the base class."""
        known = _angles(self.path)
        n = len(height)
        drawn = known[generator.integers(0, len(known), n)]
        rot, tilt, psi = (drawn + self.jitter_deg * generator.standard_normal((n, 3))).T
        folded = np.mod(tilt, 360.0)
        over = folded > 180.0  # tilt beyond a pole: the other side, half a turn about both axes
        tilt = np.where(over, 360.0 - folded, folded)
        rot, psi = (
            np.mod(a + np.where(over, 180.0, 0.0) + 180.0, 360.0) - 180.0 for a in (rot, psi)
        )
        return np.stack([rot, tilt, psi], axis=1)


@lru_cache(maxsize=8)
def _angles(path: Path) -> NDArray[np.float64]:
    table: pd.DataFrame = read_star_table(path, _ANGLES)
    return table[list(_ANGLES)].to_numpy(np.float64)
