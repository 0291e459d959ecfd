"""Atoms laid on a grid by gemmi.

Wojdyr (2022), GEMMI: A library for structural biology, doi:10.21105/joss.04200.
"""

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ATOM = gemmi.Atom()
_ATOM.name = "X"
_ATOMS_PER_RESIDUE = 1000


def atom_density(
    numbers: NDArray[np.uint8],
    positions_A: NDArray[np.float64],
    b_factors_A2: NDArray[np.float64],
    blur_A2: float,
    side: int,
    grid_A: float,
) -> Tensor:
    """Scattering factors as a density, in angstrom per cubic angstrom, blurred by a B factor.

    Args:
        numbers: (n,) atomic numbers.
        positions_A: (n, 3) x, y, z from voxel 0 of the periodic grid.
        b_factors_A2: (n,) isotropic B factors.
        blur_A2: added to every B factor.
        side: edge of the grid in voxels.
        grid_A: voxel size.

    Returns:
        (side,) * 3 float32, axes (z, y, x).
    """
    edge_A = side * grid_A
    calculator = gemmi.DensityCalculatorE()
    calculator.blur = blur_A2
    calculator.grid.set_size(side, side, side)
    calculator.grid.set_unit_cell(gemmi.UnitCell(edge_A, edge_A, edge_A, 90, 90, 90))
    calculator.add_model_density_to_grid(_model(numbers, positions_A, b_factors_A2))
    return torch.from_numpy(calculator.grid.array.T.copy())  # gemmi's first axis is x


def _model(
    numbers: NDArray[np.uint8],
    positions_A: NDArray[np.float64],
    b_factors_A2: NDArray[np.float64],
) -> gemmi.Model:
    """A gemmi model: identical atoms by the thousand first, then every property by array."""
    full, last = _residue(_ATOMS_PER_RESIDUE), _residue(len(numbers) % _ATOMS_PER_RESIDUE)
    chain, model, structure = gemmi.Chain("A"), gemmi.Model(1), gemmi.Structure()
    for _ in range(len(numbers) // _ATOMS_PER_RESIDUE):
        chain.add_residue(full)
    chain.add_residue(last)
    model.add_chain(chain)
    structure.add_model(model)
    flat = gemmi.FlatStructure(structure)
    flat.pos[:] = positions_A
    flat.b_iso[:] = b_factors_A2
    flat.elements[:] = numbers
    return flat.generate_structure()[0]


def _residue(n_atoms: int) -> gemmi.Residue:
    residue = gemmi.Residue()
    for _ in range(n_atoms):
        residue.add_atom(_ATOM)
    return residue
