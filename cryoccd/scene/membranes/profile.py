"""The potential of a lipid bilayer across its thickness, in excess of vitreous ice.

Two Gaussian head groups and a Gaussian trough of the tails: the shape of the hybrid model of X-ray
reflectivity (Wiener & Nagle 1989) and of cryo-EM images of vesicles (Wang, Bose & Sigworth, PNAS
103, 18528, 2006). The isolated atoms of a phosphocholine head, C10 H18 N O8 P, hold 2785 V A^3 in
330 A^3; at 68 A^2 a lipid that is 19 V A a leaflet above ice. Bonding and hydration take a part:
HEAD_V gives 15 V A, 5.8 V in all. For the tails isolated atoms say too much, since in images
their layer is no darker than the ice: 4.1 V is an estimate. Ice has 4.5 V.
"""

import numpy as np
from numpy.typing import NDArray

HEAD_V, HEAD_SIGMA_A = 1.3, 4.5
TAIL_V, TAIL_SIGMA_A = -0.45, 8.0


def bilayer_V(
    distance_A: NDArray[np.float64], thickness_A: float, blur_A: float = 0.0
) -> NDArray[np.float64]:
    """Volts at signed distances from the middle; the heads peak 7 A inside either outer face.

    Blurred by a Gaussian of standard deviation blur_A, which keeps the integral.
    """
    peak_A = thickness_A / 2 - 7.0
    head_A, tail_A = np.hypot(HEAD_SIGMA_A, blur_A), np.hypot(TAIL_SIGMA_A, blur_A)
    heads = _gauss(distance_A - peak_A, head_A) + _gauss(distance_A + peak_A, head_A)
    tails = _gauss(distance_A, tail_A)
    return np.asarray(
        HEAD_V * HEAD_SIGMA_A / head_A * heads + TAIL_V * TAIL_SIGMA_A / tail_A * tails
    )


def integrated_V_A() -> float:
    """Integral of the profile over the distance, in volt angstrom."""
    return float(np.sqrt(2 * np.pi) * (2 * HEAD_V * HEAD_SIGMA_A + TAIL_V * TAIL_SIGMA_A))


def _gauss(x: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * (x / sigma) ** 2))
