"""The heat from which a candidate is a pick, chosen for each class by F-beta.

It is chosen on a tomogram that the detector was not trained on and that it is not judged on. A
class has a dozen particles or two there, and the heat of all shifts from one tomogram to the
next: the threshold at which F is largest lies just below the weakest hit, which a little less heat
elsewhere loses. So the F to be expected is maximised where log-odds shift by a normal deviate of
deviation _SHIFT:

    t = argmax_t  sum_s w(s) F(t + s) / sum_s w(s) ,   w(s) = exp(-s^2 / (2 _SHIFT^2)) .
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.metrics.volume.detection import count_hits

Points = NDArray[np.float64]

FLOOR = 0.01
"""Heat below which nothing is a candidate."""

_SHIFT = 0.6
_LOG_ODDS = np.linspace(np.log(FLOOR / (1 - FLOOR)), 5.0, 61)
_EVERY = 1 / (1 + np.exp(-_LOG_ODDS))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Peaks of one class in one tomogram, highest first.

    Args:
        xyz_A: (n, 3) in angstrom from the centre of voxel [0, 0, 0].
        heat: (n,) between 0 and 1.
    """

    xyz_A: Points
    heat: Points

    def above(self, threshold: float) -> Points:
        """Places of those at the threshold or above."""
        return self.xyz_A[self.heat >= threshold]


def best_threshold(
    candidates: Candidates, particles_A: Points, radius_A: float, beta: float
) -> float:
    """The threshold whose F-beta is largest after a shift as is to be expected.

    Args:
        candidates: of one class.
        particles_A: (m, 3) that there are, m not 0.
        radius_A: of the class; a pick is a hit within half of it.
        beta: how much recall counts.
    """
    scores = np.array(
        [count_hits(candidates.above(t), particles_A, radius_A).f_beta(beta) for t in _EVERY]
    )
    weights = np.exp(-((_LOG_ODDS[:, None] - _LOG_ODDS) ** 2) / (2 * _SHIFT**2))
    return float(_EVERY[np.argmax(weights @ scores / weights.sum(axis=1))])


def best_thresholds(
    candidates: Mapping[str, Candidates],
    particles_A: Mapping[str, Points],
    radii_A: Mapping[str, float],
    beta: float,
) -> dict[str, float]:
    """That of each class."""
    return {
        name: best_threshold(each, particles_A[name], radii_A[name], beta)
        for name, each in candidates.items()
    }
