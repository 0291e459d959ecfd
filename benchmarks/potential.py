"""Speed of the potential, and its distance from gemmi's direct summation.

    python benchmarks/potential.py speed [--atoms 100000 --box 256 --voxel 1.5 --threads 2]
    python benchmarks/potential.py accuracy

`speed`: seconds of `potential` for a ball of protein-like atoms with ice subtracted, the best of
three. `accuracy`: root mean square difference, as a share of the signal, from the structure factors
that gemmi sums atom by atom and reflection by reflection, transformed back on the same grid.
"""

import argparse
import time

import gemmi
import numpy as np
import torch

from cryoccd.records import Atoms
from cryoccd.specimen.potential import centred_positions_A, potential
from cryoccd.specimen.scattering import VOLT_A2

SHARES = {"H": 0.5, "C": 0.32, "O": 0.09, "N": 0.085, "S": 0.005}
"""Of the atoms of a protein."""

ATOMS_PER_A3 = 0.09


def main() -> None:
    """Print the figures of one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=list(PARTS), nargs="?", default="speed")
    parser.add_argument("--atoms", type=int, default=100_000)
    parser.add_argument("--box", type=int, default=256)
    parser.add_argument("--voxel", type=float, default=1.5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    PARTS[options.part](options)


def speed(options: argparse.Namespace) -> None:
    """Seconds of one potential."""
    atoms = ball(options.atoms)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        potential(atoms, options.voxel, options.box)
        seconds.append(time.perf_counter() - start)
    print(
        f"{options.atoms} atoms, {options.voxel:g} A, {options.box}^3, {options.threads} threads: "
        f"{min(seconds):.2f} s"
    )


def accuracy(options: argparse.Namespace) -> None:
    """Relative error at several voxel sizes."""
    for voxel_size_A, box_px in ((0.7, 40), (1.0, 32), (1.5, 32), (2.4, 24), (4.0, 20)):
        atoms = ball(300)
        expected = summed(atoms, voxel_size_A, box_px)
        got = potential(atoms, voxel_size_A, box_px, bulk_solvent_V=None).values.double().numpy()
        error = np.sqrt(((got - expected) ** 2).mean() / (expected**2).mean())
        print(f"{voxel_size_A:g} A, {box_px}^3: {error:.1e}")


def ball(n_atoms: int) -> Atoms:
    """Atoms of a protein's composition at random in a ball of its density, B of 20 to 100 A^2."""
    generator = np.random.default_rng(0)
    radius_A = (n_atoms / ATOMS_PER_A3 * 3 / (4 * np.pi)) ** (1 / 3)
    points = generator.normal(size=(n_atoms, 3))
    points *= generator.random((n_atoms, 1)) ** (1 / 3) / np.linalg.norm(points, axis=1)[:, None]
    elements = generator.choice(list(SHARES), n_atoms, p=list(SHARES.values()))
    b_factors_A2 = generator.uniform(20, 100, n_atoms)
    return Atoms(points * radius_A, tuple(elements.tolist()), b_factors_A2)


def summed(atoms: Atoms, voxel_size_A: float, box_px: int) -> np.ndarray:
    """(n, n, n) volts from gemmi's structure factors inside the Nyquist sphere, axes (z, y, x)."""
    cell = gemmi.UnitCell(*(box_px * voxel_size_A,) * 3, 90, 90, 90)
    residue = gemmi.Residue()
    positions = centred_positions_A(atoms) + box_px // 2 * voxel_size_A
    for position, element, b in zip(positions, atoms.elements, atoms.b_factors_A2, strict=True):
        atom = gemmi.Atom()
        atom.pos, atom.element, atom.b_iso = gemmi.Position(*position), gemmi.Element(element), b
        residue.add_atom(atom)
    chain, model = gemmi.Chain("A"), gemmi.Model(1)
    chain.add_residue(residue)
    model.add_chain(chain)
    calculator = gemmi.StructureFactorCalculatorE(cell)
    spectrum = np.zeros((box_px, box_px, box_px // 2 + 1), complex)
    order = np.fft.fftfreq(box_px, 1 / box_px).round().astype(int)
    for index in np.ndindex(spectrum.shape):
        hkl = [int(order[i]) for i in reversed(index)]
        if sum(i * i for i in hkl) < (box_px / 2) ** 2 * (1 - 1e-6):
            spectrum[index] = calculator.calculate_sf_from_model(model, hkl)
    values = np.fft.irfftn(spectrum.conj(), s=(box_px,) * 3, axes=(0, 1, 2))
    return values * VOLT_A2 / voxel_size_A**3


PARTS = {"speed": speed, "accuracy": accuracy}


if __name__ == "__main__":
    main()
