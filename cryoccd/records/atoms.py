"""Atoms of one structure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Atoms:
    """Positions, elements and B factors of n atoms.

    Args:
        positions_A: (n, 3) float64, xyz in angstrom.
        elements: n chemical symbols as gemmi spells them ("C", "Zn").
        b_factors_A2: (n,) isotropic B factors in square angstrom.
    """

    positions_A: NDArray[np.float64]
    elements: tuple[str, ...]
    b_factors_A2: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.elements)
        if self.positions_A.shape != (n, 3) or self.b_factors_A2.shape != (n,):
            raise CryoccdError(
                f"atoms: positions {self.positions_A.shape} and B factors "
                f"{self.b_factors_A2.shape} do not match {n} elements"
            )
        if n == 0:
            raise CryoccdError("atoms: a structure needs at least one atom")
        if not np.isfinite(self.positions_A).all():
            raise CryoccdError("atoms: positions hold NaN or infinity")

    def __len__(self) -> int:
        return len(self.elements)
