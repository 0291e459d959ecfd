"""Whether a map has a point group: its correlation with its own rotated copies."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from cryoccd.errors import CryoccdError
from cryoccd.records import Volume
from cryoccd.specimen.symmetry import point_group

LEAST_CORRELATION = 0.9
"""Symmetric maps reach more than 0.99; two different views of one globule seldom 0.8."""

_SAMPLES = 40  # across the map


def check_map_symmetry(volume: Volume, symmetry: str) -> None:
    """Refuse a symmetry that the map does not have in the setting of `point_group`.

    Raises:
        CryoccdError: an unknown group, or one that the map does not have, with the correlation.
    """
    found = map_symmetry(volume, point_group(symmetry))
    if found < LEAST_CORRELATION:
        raise CryoccdError(
            f"symmetry '{symmetry}': the map does not have it about its middle, a rotated copy "
            f"correlates by {found:.2f}, expected above {LEAST_CORRELATION}; name another symmetry "
            "or turn the map to the point group's axes (relion_align_symmetry)"
        )


def map_symmetry(volume: Volume, operators: NDArray[np.float64]) -> float:
    """Least correlation of a map with its copies by (n, 3, 3) operators, inside its sphere."""
    step = max(1.0, volume.box_px / _SAMPLES)
    smooth = gaussian_filter(volume.values.double().numpy(), step / 2, mode="constant")
    centre = volume.box_px // 2
    axis = np.arange(-(centre // step) + 1, centre // step) * step
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    points = points[(points**2).sum(1) <= (centre - step) ** 2]
    copies = [
        map_coordinates(smooth, (points @ operator.T)[:, ::-1].T + centre, order=1)
        for operator in operators
    ]
    return float(np.corrcoef(np.stack(copies))[0].min())
