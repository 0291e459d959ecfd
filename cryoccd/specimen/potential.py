"""Electrostatic potential of atoms in vitreous ice, band-limited at the Nyquist of its grid.

V(k) = (h^2 / 2 pi m e) sum_j f_e,j(k) exp(-B_j k^2 / 4 - 2 pi i k r_j) - V_ice M(k)

The atoms (five-Gaussian factors, see scattering.py) are laid with gemmi's DensityCalculatorE on a
grid finer than the target, blurred by an extra B factor so that this grid samples them without
aliasing, and deblurred in Fourier space. M is the flat bulk-solvent model of crystallography
(Jiang & Brunger 1994): 1 where the molecule displaces ice, with a Gaussian edge. The spectrum is
cropped to the target box and cut at the Nyquist sphere. Outside the molecule the map is 0: the ice
is the background.
"""

from math import ceil, log, pi, sqrt

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms, Volume
from cryoccd.specimen.grid import check_voxel_size, fast_even, limit_to_nyquist, squared_frequency
from cryoccd.specimen.scattering import (
    VITREOUS_ICE_V,
    VOLT_A2,
    atomic_masses,
    atomic_numbers,
)

BOX_PER_DIAMETER = 1.5
OVERSAMPLING = 1.5
MASK_GRID_A = 1.0  # solvent masks are drawn on a grid at least this fine
ALIAS = 3e-3  # aliases of the blurred grid at the target Nyquist, relative to the signal
TAIL = 5e-5  # gridded density, A^-2, where an atom's tail is cut; both keep errors under 0.5 %
MASK_EDGE_A = 1.0  # standard deviation of the Gaussian edge between molecule and ice


def potential(
    atoms: Atoms,
    voxel_size_A: float,
    box_px: int | None = None,
    bulk_solvent_V: float | None = VITREOUS_ICE_V,
) -> Volume:
    """Potential of the atoms minus that of the ice they displace, in volts.

    Args:
        atoms: the structure; its centre of mass comes to voxel n // 2. Atoms stand as they are
            given: no hydrogens are added here (see hydrogens.py).
        voxel_size_A: any size above 0.
        box_px: edge of the cube; by default `default_box_px`.
        bulk_solvent_V: mean inner potential of the solvent, by default that of vitreous ice of
            0.93 g/cm^3 from the scattering factors of H2O (4.53 V); None for a vacuum.

    Returns:
        (n, n, n) float32 volts, axes (z, y, x), nothing at or beyond the Nyquist sphere.

    Raises:
        CryoccdError: voxel size not above 0, unknown element, or a box that does not hold the
            atoms in every orientation.
    """
    check_voxel_size(voxel_size_A)
    numbers = atomic_numbers(atoms.elements)
    positions = centred_positions_A(atoms)
    radius_A = float(np.linalg.norm(positions, axis=1).max())
    box = default_box_px(2 * radius_A, voxel_size_A) if box_px is None else box_px
    if box * voxel_size_A < 2 * radius_A + 2 * voxel_size_A:
        raise CryoccdError(
            f"box_px = {box} ({box * voxel_size_A:g} A): the atoms span {2 * radius_A:.0f} A; "
            f"expected at least {ceil(2 * radius_A / voxel_size_A) + 2}"
        )
    fine_box = fast_even(box * max(OVERSAMPLING, voxel_size_A / MASK_GRID_A))
    fine_A = box * voxel_size_A / fine_box
    blur_A2 = max(0.0, _blur_A2(fine_A, 0.5 / voxel_size_A) - float(atoms.b_factors_A2.min()))
    margin_A = 5 + 4 * sqrt((float(atoms.b_factors_A2.max()) + blur_A2) / (8 * pi**2))
    centre_px = ceil((radius_A + margin_A) / voxel_size_A)  # of the target grid, both grids hit it
    sub_box = min(fine_box, fast_even(2 * centre_px * voxel_size_A / fine_A))
    cell = gemmi.UnitCell(*[sub_box * fine_A] * 3, 90, 90, 90)
    model = _model(numbers, positions + centre_px * voxel_size_A, atoms.b_factors_A2, cell)

    frequency2 = squared_frequency(box, voxel_size_A)
    density = _atom_density(model, cell, sub_box, blur_A2)
    spectrum = _cropped_spectrum(density, fine_box, box) * (VOLT_A2 * fine_A**3)
    spectrum = spectrum * torch.exp(frequency2 * (blur_A2 / 4))
    if bulk_solvent_V:
        mask = _cropped_spectrum(_molecule_mask(model, cell, sub_box), fine_box, box) * fine_A**3
        edge = torch.exp(-2 * (pi * MASK_EDGE_A) ** 2 * frequency2)
        spectrum = spectrum - bulk_solvent_V * edge * mask
    spectrum = limit_to_nyquist(spectrum, voxel_size_A) / voxel_size_A**3
    values = torch.fft.irfftn(spectrum, s=(box, box, box))
    shift = box // 2 - centre_px
    return Volume(torch.roll(values, (shift,) * 3, (0, 1, 2)), voxel_size_A)


def default_box_px(diameter_A: float, voxel_size_A: float) -> int:
    """Smallest even box with small prime factors that holds 1.5 diameters, at least 16."""
    return max(16, fast_even(BOX_PER_DIAMETER * diameter_A / voxel_size_A))


def centred_positions_A(atoms: Atoms) -> NDArray[np.float64]:
    """(n, 3) positions from the centre of mass."""
    centre = np.average(atoms.positions_A, axis=0, weights=atomic_masses(atoms.elements))
    shifted: NDArray[np.float64] = atoms.positions_A - centre
    return shifted


def _blur_A2(grid_A: float, band: float) -> float:
    """Total B factor at which the aliases in |k| <= band fall to ALIAS: (1/h - k)^2 - k^2."""
    return 4 * log(1 / ALIAS) * grid_A**2 / (1 - 2 * grid_A * band)


def _model(
    numbers: NDArray[np.uint8],
    positions_A: NDArray[np.float64],
    b_factors_A2: NDArray[np.float64],
    cell: gemmi.UnitCell,
) -> gemmi.Model:
    """A gemmi model: identical atoms first, then every property by array."""
    residue = gemmi.Residue()
    for _ in numbers:
        residue.add_atom(_ATOM)
    chain, model, structure = gemmi.Chain("A"), gemmi.Model(1), gemmi.Structure()
    chain.add_residue(residue)
    model.add_chain(chain)
    structure.add_model(model)
    structure.cell = cell
    flat = gemmi.FlatStructure(structure)
    flat.pos[:] = positions_A
    flat.b_iso[:] = b_factors_A2
    flat.elements[:] = numbers
    return flat.generate_structure()[0]


def _atom_density(model: gemmi.Model, cell: gemmi.UnitCell, side: int, blur_A2: float) -> Tensor:
    """(side,) * 3 blurred density in angstrom of scattering factor per cubic angstrom."""
    calculator = gemmi.DensityCalculatorE()
    calculator.blur = blur_A2
    calculator.cutoff = TAIL
    calculator.grid.set_size(side, side, side)
    calculator.grid.set_unit_cell(cell)
    calculator.add_model_density_to_grid(model)
    return torch.from_numpy(calculator.grid.array.T.copy())  # gemmi's first axis is x


def _molecule_mask(model: gemmi.Model, cell: gemmi.UnitCell, side: int) -> Tensor:
    """(side,) * 3, 1 where van der Waals spheres and the gaps too small for water keep ice out."""
    grid = gemmi.FloatGrid(side, side, side)
    grid.set_unit_cell(cell)
    gemmi.SolventMasker(gemmi.AtomicRadiiSet.VanDerWaals).put_mask_on_float_grid(grid, model)
    return 1 - torch.from_numpy(grid.array.T.copy())


def _cropped_spectrum(values: Tensor, fine_box: int, box: int) -> Tensor:
    """Transform of values zero-padded to fine_box, its frequencies of `box` alone, per axis."""
    kept = torch.fft.fftfreq(box, 1 / box).round().long() % fine_box
    spectrum = torch.fft.rfft(values, n=fine_box, dim=2)[..., : box // 2 + 1]
    spectrum = torch.fft.fft(spectrum, n=fine_box, dim=1)[:, kept]
    return torch.fft.fft(spectrum, n=fine_box, dim=0)[kept]


_ATOM = gemmi.Atom()
_ATOM.name = "X"
