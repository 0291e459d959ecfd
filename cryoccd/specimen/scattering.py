"""Electron scattering factors and the mean inner potentials that follow from them.

Isolated-atom factors f_e of Peng, Ren, Dudarev & Whelan (1996), five Gaussians, from gemmi's table
c4322 (International Tables C, 4.3.2.2). The potential of an atom integrates to
h^2 / (2 pi m e) f_e(0) (Kirkland 2010, eq. 5.11). Bonding lowers real mean inner potentials by
some 10 %, in ice and in protein alike.
"""

import gemmi
import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError

VOLT_A2 = 47.87801
"""h^2 / (2 pi m e): volts times square angstrom per angstrom of scattering factor."""

VITREOUS_ICE_G_PER_CM3 = 0.93
"""Density of low-density amorphous ice (0.92 to 0.94 in the literature)."""

DALTON_PER_A3 = 0.602214
"""Daltons per cubic angstrom at 1 g/cm^3."""


def atomic_numbers(elements: tuple[str, ...]) -> NDArray[np.uint8]:
    """Atomic number of each symbol; deuterium counts as hydrogen.

    Raises:
        CryoccdError: a symbol that is no element, or one without electron scattering factor.
    """
    table = {symbol: _atomic_number(symbol) for symbol in sorted(set(elements))}
    return np.fromiter((table[symbol] for symbol in elements), np.uint8, len(elements))


def atomic_masses(elements: tuple[str, ...]) -> NDArray[np.float64]:
    """Mass of each atom in dalton."""
    table = {symbol: float(gemmi.Element(symbol).weight) for symbol in set(elements)}
    return np.fromiter((table[symbol] for symbol in elements), np.float64, len(elements))


def mean_inner_potential_V(formula: dict[str, float], g_per_cm3: float) -> float:
    """Mean potential in volts of a medium of given composition and density, isolated atoms."""
    mass = sum(count * gemmi.Element(name).weight for name, count in formula.items())
    factor = sum(
        count * gemmi.Element(name).c4322.calculate_sf(0.0) for name, count in formula.items()
    )
    return float(VOLT_A2 * factor * g_per_cm3 * DALTON_PER_A3 / mass)


def _atomic_number(symbol: str) -> int:
    element = gemmi.Element("H" if symbol == "D" else symbol)
    if element.atomic_number == 0 or element.c4322 is None:
        raise CryoccdError(
            f"element '{symbol}' has no electron scattering factor, expected H to Cf; "
            "correct the element column of the structure"
        )
    return int(element.atomic_number)


VITREOUS_ICE_V = mean_inner_potential_V({"H": 2, "O": 1}, VITREOUS_ICE_G_PER_CM3)
"""4.53 V, as Vulovic et al. (2013) give it for isolated atoms."""

PROTEIN = {"C": 4.9384, "H": 7.7583, "N": 1.3577, "O": 1.4773, "S": 0.0417}
"""The average residue (Senko, Beu & McLafferty 1995)."""
