"""Projected potential of atoms by splatting, the oracle's own path from structure to image.

Rotated atoms are spread bilinearly over a 2-D grid, one grid an element, and multiplied in Fourier
space by 47.878 V Å² f_e(k) (Peng et al. 1996, Acta Cryst. A52, 257; 47.878 = h² / 2π m e), the B
factor exp(-B k² / 4), and the inverse of the splat's own transfer. The solvent that an atom
displaces is a Gaussian of its volume v (Fraser et al. 1978, J. Appl. Cryst. 11, 693),
V v exp(-π v^(2/3) k²): an approximation with one v for all but hydrogen, whose volume stands with
its heavy neighbour.
"""

from dataclasses import dataclass

import gemmi
import numpy as np
import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid
from cryoccd.geometry import euler_to_matrix
from cryoccd.records import Atoms, Particles
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.species import ASSEMBLY_PREFIX, species_atoms

POTENTIAL_V_A2 = 47.878009
"""Potential in V Å³ of a scattering factor of 1 Å."""
DISPLACED_A3 = 17.3
"""Volume a non-hydrogen atom of protein: 0.73 cm³/g at 14.3 Da."""


def library_atoms(species: str, flex: float) -> Atoms:
    """Atoms of a species of the library; only assemblies bend, other sources ignore the flex."""
    if species.startswith(ASSEMBLY_PREFIX):
        return assembly_atoms(species.removeprefix(ASSEMBLY_PREFIX), flex=flex)
    return species_atoms(species)


@dataclass(frozen=True)
class AtomGroups:
    """Atoms of one conformation, (n, 3) float32 a chemical element."""

    positions_A: dict[str, Tensor]

    @classmethod
    def of(cls, atoms: Atoms) -> "AtomGroups":
        """Group the atoms by element."""
        elements = np.array(atoms.elements)
        positions_A = torch.from_numpy(atoms.positions_A).float()
        return cls(
            {
                symbol: positions_A[torch.from_numpy(elements == symbol)]
                for symbol in sorted(set(atoms.elements))
            }
        )


def scattering_factor_A(element: str, k_squared: Tensor) -> Tensor:
    """Electron scattering factor in angstrom at squared frequencies in 1/Å²."""
    a, b = np.array(gemmi.Element(element).c4322.get_coefs()).reshape(2, 5)
    return sum(
        (float(ai) * torch.exp(-float(bi) / 4 * k_squared) for ai, bi in zip(a, b, strict=True)),
        torch.zeros_like(k_squared),
    )


class SplatProjector:
    """Projects particles onto a periodic grid.

    Args:
        shape_px: height and width of the grid.
        pixel_size_A: its pixel size.
        origin_px: grid index, along both axes, of the point x = y = 0.
        b_factor_A2: B factor of every atom.
        solvent_V: potential of the displaced solvent.
    """

    def __init__(
        self,
        shape_px: tuple[int, int],
        pixel_size_A: float,
        origin_px: float,
        b_factor_A2: float,
        solvent_V: float,
    ) -> None:
        self.shape_px = shape_px
        self.pixel_size_A = pixel_size_A
        self.origin_px = origin_px
        self.b_factor_A2 = b_factor_A2
        self.solvent_V = solvent_V
        self._transfer: dict[str, Tensor] = {}

    def spectrum(
        self, particles: Particles, chosen: list[int], groups: list[list[AtomGroups]]
    ) -> Tensor:
        """rfft2 of the projected potential in V Å of some of the particles.

        Args:
            particles: all particles.
            chosen: indices of those to project.
            groups: atoms by species and conformation.
        """
        height, width = self.shape_px
        matrices = euler_to_matrix(torch.from_numpy(particles.eulers_deg)).float()
        grids: dict[str, Tensor] = {}
        for index in chosen:
            atoms = groups[particles.species[index]][particles.conformation[index]]
            centre_A = torch.from_numpy(particles.positions_A[index, :2]).float()
            for element, positions_A in atoms.positions_A.items():
                xy_A = positions_A @ matrices[index, :2].T + centre_A
                grid = grids.setdefault(element, torch.zeros(height * width))
                self._splat(grid, xy_A / self.pixel_size_A + self.origin_px)
        total = torch.zeros(height, width // 2 + 1, dtype=torch.complex64)
        for element, grid in grids.items():
            total += torch.fft.rfft2(grid.view(height, width)) * self._transfer_of(element)
        return total

    def _splat(self, grid: Tensor, xy_px: Tensor) -> None:
        height, width = self.shape_px
        corner = xy_px.floor()
        part = xy_px - corner
        column, row = corner.long().unbind(1)
        for dy in (0, 1):
            for dx in (0, 1):
                share = (part[:, 0] if dx else 1 - part[:, 0]) * (
                    part[:, 1] if dy else 1 - part[:, 1]
                )
                grid.index_add_(0, (row + dy) % height * width + (column + dx) % width, share)

    def _transfer_of(self, element: str) -> Tensor:
        if element not in self._transfer:
            k_y, k_x = frequency_grid(self.shape_px, self.pixel_size_A, rfft=True)
            k_squared = k_y**2 + k_x**2
            potential = POTENTIAL_V_A2 * scattering_factor_A(element, k_squared)
            if element not in ("H", "D"):
                blob = torch.exp(-torch.pi * DISPLACED_A3 ** (2 / 3) * k_squared)
                potential = potential - self.solvent_V * DISPLACED_A3 * blob
            splat = (torch.sinc(k_y * self.pixel_size_A) * torch.sinc(k_x * self.pixel_size_A)) ** 2
            envelope = torch.exp(-self.b_factor_A2 / 4 * k_squared)
            self._transfer[element] = potential * envelope / splat / self.pixel_size_A**2
        return self._transfer[element]
