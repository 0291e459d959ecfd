"""Electrostatic potential of atoms in vitreous ice, band-limited at the Nyquist of its grid.

V(k) = (h^2 / 2 pi m e) sum_j f_e,j(k) exp(-B_j k^2 / 4 - 2 pi i k r_j) - V_ice M(k)

The atoms are laid (gridding.py) on a grid finer than the target, blurred by an extra B factor so
that this grid samples them without aliasing, and deblurred in Fourier space. M is 1 where the
molecule displaces ice, with a soft edge (solvent.py), as the flat bulk solvent of crystallography.
The spectrum is cropped to the target box and cut at the Nyquist sphere. Outside the molecule the
map is 0: the ice is the background.
"""

from math import ceil, log, pi, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms, Volume
from cryoccd.specimen.grid import check_voxel_size, fast_even, limit_to_nyquist, squared_frequency
from cryoccd.specimen.gridding import atom_density
from cryoccd.specimen.scattering import (
    VITREOUS_ICE_V,
    VOLT_A2,
    atomic_masses,
    atomic_numbers,
)
from cryoccd.specimen.solvent import displaced_ice

BOX_PER_DIAMETER = 1.5
OVERSAMPLING = 1.5
FINE_GRID_A = 1.0  # at most, so that the edge of the solvent is sampled
ALIAS = 3e-3  # aliases of the blurred grid at the target Nyquist, of the signal


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
    fine_box = fast_even(box * max(OVERSAMPLING, voxel_size_A / FINE_GRID_A))
    fine_A = box * voxel_size_A / fine_box
    blur_A2 = max(0.0, _blur_A2(fine_A, 0.5 / voxel_size_A) - float(atoms.b_factors_A2.min()))
    margin_A = 5 + 4 * sqrt((float(atoms.b_factors_A2.max()) + blur_A2) / (8 * pi**2))
    centre_px = ceil((radius_A + margin_A) / voxel_size_A)  # of the target grid, both grids hit it
    sub_box = min(fine_box, fast_even(2 * centre_px * voxel_size_A / fine_A))
    placed = positions + centre_px * voxel_size_A

    density = atom_density(numbers, placed, atoms.b_factors_A2, blur_A2, sub_box, fine_A)
    spectrum = VOLT_A2 * _cropped_spectrum(density, fine_box, box)
    spectrum = spectrum * torch.exp(squared_frequency(box, voxel_size_A) * (blur_A2 / 4))
    if bulk_solvent_V:
        displaced = displaced_ice(placed[numbers > 1], sub_box, fine_A)
        spectrum = spectrum - bulk_solvent_V * _cropped_spectrum(displaced, fine_box, box)
    spectrum = limit_to_nyquist(spectrum, voxel_size_A) * (fine_A / voxel_size_A) ** 3
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


def _cropped_spectrum(values: Tensor, fine_box: int, box: int) -> Tensor:
    """Transform of values zero-padded to fine_box, its frequencies of `box` alone, per axis."""
    kept = torch.fft.fftfreq(box, 1 / box).round().long() % fine_box
    spectrum: Tensor = torch.fft.rfft(values, n=fine_box, dim=2)[..., : box // 2 + 1]
    spectrum = torch.fft.fft(spectrum, n=fine_box, dim=1)[:, kept]
    spectrum = torch.fft.fft(spectrum, n=fine_box, dim=0)[kept]
    return spectrum
