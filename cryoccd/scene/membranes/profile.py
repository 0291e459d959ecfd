"""The potential of a lipid bilayer across its thickness, in excess of vitreous ice.

Two Gaussian head groups and a Gaussian trough of the tails: the shape that cryo-EM images of lipid
vesicles show (Wang, Bose & Sigworth, PNAS 103, 15528, 2006). Heads hold phosphate and scatter more
than ice (about 5.8 V inner potential), tails are of low density (about 4.1 V); ice has 4.5 V. The
figures are rounded; lipids differ.
"""

import numpy as np
from numpy.typing import NDArray

HEAD_V, HEAD_SIGMA_A = 1.3, 4.5
TAIL_V, TAIL_SIGMA_A = -0.45, 8.0


def bilayer_V(distance_A: NDArray[np.float64], thickness_A: float) -> NDArray[np.float64]:
    """Volts at signed distances from the middle; the heads peak 7 A inside either outer face."""
    peak_A = thickness_A / 2 - 7.0
    heads = HEAD_V * (
        _gauss(distance_A - peak_A, HEAD_SIGMA_A) + _gauss(distance_A + peak_A, HEAD_SIGMA_A)
    )
    return np.asarray(heads + TAIL_V * _gauss(distance_A, TAIL_SIGMA_A))


def integrated_V_A() -> float:
    """Integral of the profile over the distance, in volt angstrom."""
    return float(np.sqrt(2 * np.pi) * (2 * HEAD_V * HEAD_SIGMA_A + TAIL_V * TAIL_SIGMA_A))


def _gauss(x: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * (x / sigma) ** 2))
