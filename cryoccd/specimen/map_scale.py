"""Density maps on the scale of the potential.

The values of a reconstruction are arbitrary: V = a (value - background). The background is what
lies around the molecule; a follows from the integral of the potential, which is that of its mass:

    int V dr = EXCESS_V_A3_PER_DALTON * mass

the potential of an average protein of isolated atoms minus that of the ice it displaces, 9.8 - 5.5
= 4.3 V A^3 a dalton. Potentials of protein structures reach 4.1 to 4.4; nucleic acids lie within
some 10 % of it. Where the mass is not known it is that of the volume inside the contour level: good
to some 30 %, as levels are chosen by eye.
"""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cryoccd.errors import CryoccdError, check_within
from cryoccd.specimen.scattering import (
    DALTON_PER_A3,
    PROTEIN,
    VITREOUS_ICE_V,
    mean_inner_potential_V,
)
from cryoccd.specimen.solvent import DISPLACED_A3_PER_DALTON

EXCESS_V_A3_PER_DALTON = (
    mean_inner_potential_V(PROTEIN, 1.0) / DALTON_PER_A3 - VITREOUS_ICE_V * DISPLACED_A3_PER_DALTON
)
"""Integral of a protein's potential above ice, in volts times cubic angstrom a dalton."""

MARGIN_A = 5.0  # the potential of the outer atoms ends within it
EDGE_A = 5.0  # the soft edge beyond
BACKGROUND_A = 20.0  # the background is measured so far beyond the edge
BLUR_A = 3.0  # of the map in which the molecule is looked for
_DUST = 0.05  # smaller pieces, of the largest one's volume, are noise
_STANDS_OUT = 1.2  # the brightest voxels from the median, of the darkest ones; 1 for noise

_Map = NDArray[np.float32]


@dataclass(frozen=True)
class MapScale:
    """How the values of a map become volts above ice.

    Give the mass, the contour level, or both; outside the molecule the map becomes 0.

    Args:
        mass_kDa: mass of the whole; by default that of a protein that fills the contour.
        contour: level at which the molecule ends, in the map's own values, such as the EMDB
            recommends (`cryoccd fetch` tells it); by default the one that encloses the volume of
            the mass.
    """

    mass_kDa: float | None = None
    contour: float | None = None

    def __post_init__(self) -> None:
        if self.mass_kDa is None and self.contour is None:
            raise CryoccdError("map scale: neither mass_kDa nor contour, expected one of them")
        if self.mass_kDa is not None:
            check_within("map scale: mass_kDa", self.mass_kDa, 0.1, 1e6, "kilodalton")
        if self.contour is not None and not np.isfinite(self.contour):
            raise CryoccdError(f"map scale: contour = {self.contour}, expected a number")

    def apply(self, values: _Map, voxel_size_A: float) -> _Map:
        """The map in volts.

        Args:
            values: (z, y, x), the molecule brighter than its surroundings.
            voxel_size_A: edge of a voxel.

        Raises:
            CryoccdError: nothing lies above the contour, no background is left around the
                molecule, or the molecule is darker than it.
        """
        if self.contour is not None:
            inside = _without_dust(_above(values, self.contour))
        elif self.mass_kDa is not None:
            inside = _without_dust(_brightest(values, voxel_size_A, self.mass_kDa))
        volume_A3 = float(inside.sum()) * voxel_size_A**3
        mass_Da = 1e3 * (self.mass_kDa or 1e-3 * volume_A3 / DISPLACED_A3_PER_DALTON)
        window = _window(inside, voxel_size_A)
        away_A = ndimage.distance_transform_edt(~inside[window]) * voxel_size_A
        beyond_A = away_A - MARGIN_A - EDGE_A
        around = (beyond_A > 0) & (beyond_A <= BACKGROUND_A)
        if not around.any():
            raise CryoccdError(
                f"map scale: the molecule of {mass_Da / 1e3:.0f} kDa fills its box of "
                f"{' x '.join(map(str, values.shape))} voxels of {voxel_size_A:g} A, no background "
                "is left; correct the mass or the contour"
            )
        near = values[window].astype(np.float64)
        share = (1 - np.sin(pi * ((away_A - MARGIN_A) / EDGE_A - 0.5).clip(-0.5, 0.5))) / 2
        excess = (near - near[around].mean()) * share
        integral_A3 = excess.sum() * voxel_size_A**3
        if not integral_A3 > 0:
            raise CryoccdError(
                "map scale: the molecule is darker than its surroundings, expected brighter; "
                "correct the contour or invert the map"
            )
        volts = np.zeros_like(values)
        volts[window] = excess * (EXCESS_V_A3_PER_DALTON * mass_Da / integral_A3)
        return volts


def _above(values: _Map, contour: float) -> NDArray[np.bool_]:
    inside = values > contour
    if not inside.any():
        raise CryoccdError(
            f"map scale: contour = {contour:g}, but the map reaches {values.max():g}; expected a "
            "level within its values"
        )
    return np.asarray(inside)


def _brightest(values: _Map, voxel_size_A: float, mass_kDa: float) -> NDArray[np.bool_]:
    """The brightest voxels of the blurred map, as many as the mass displaces."""
    count = round(1e3 * mass_kDa * DISPLACED_A3_PER_DALTON / voxel_size_A**3)
    if not 0 < count < values.size:
        raise CryoccdError(
            f"map scale: mass_kDa = {mass_kDa:g} displaces {count} voxels of {voxel_size_A:g} A, "
            f"the map has {values.size}; correct the mass or the voxel size"
        )
    blurred = ndimage.gaussian_filter(values, BLUR_A / voxel_size_A)
    middle, bright = values.size // 2, values.size - count
    ordered = np.partition(blurred, sorted({count, middle, bright}), axis=None)
    above = ordered[bright:].mean() - ordered[middle]
    below = ordered[middle] - ordered[:count].mean()
    if not above > _STANDS_OUT * below:
        raise CryoccdError(
            f"map scale: no molecule of {mass_kDa:g} kDa stands out, the brightest voxels lie "
            f"{above:.3g} above the median and the darkest {below:.3g} below; correct the mass, or "
            "invert the map where the molecule is dark"
        )
    return np.asarray(blurred >= ordered[bright])


def _without_dust(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, _ = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= _DUST * sizes.max())[labels] & inside)


def _window(inside: NDArray[np.bool_], voxel_size_A: float) -> tuple[slice, ...]:
    """The part of the map that is looked at: the molecule, its edge and background."""
    margin = int(np.ceil((MARGIN_A + EDGE_A + BACKGROUND_A) / voxel_size_A))
    (found,) = ndimage.find_objects(inside.astype(np.int8))
    return tuple(slice(max(0, side.start - margin), side.stop + margin) for side in found)
