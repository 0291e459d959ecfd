"""The potential beside gemmi's direct summation, and the soft boundary of the solvent alone."""

import gemmi
import numpy as np
import pytest
import torch

from cryoccd.records import Atoms
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.hydrogens import add_hydrogens
from cryoccd.specimen.potential import centred_positions_A, potential
from cryoccd.specimen.scattering import VITREOUS_ICE_V, VOLT_A2
from cryoccd.specimen.solvent import HEIGHT, WIDTH_A, displaced_ice


def summed(atoms, voxel_size_A, box_px):
    """Volts from structure factors, atom by atom and reflection by reflection."""
    residue = gemmi.Residue()
    positions = centred_positions_A(atoms) + box_px // 2 * voxel_size_A
    for position, element, b in zip(positions, atoms.elements, atoms.b_factors_A2, strict=True):
        atom = gemmi.Atom()
        atom.pos, atom.element, atom.b_iso = gemmi.Position(*position), gemmi.Element(element), b
        residue.add_atom(atom)
    chain, model = gemmi.Chain("A"), gemmi.Model(1)
    chain.add_residue(residue)
    model.add_chain(chain)
    cell = gemmi.UnitCell(*(box_px * voxel_size_A,) * 3, 90, 90, 90)
    calculator = gemmi.StructureFactorCalculatorE(cell)
    spectrum = np.zeros((box_px, box_px, box_px // 2 + 1), complex)
    order = np.fft.fftfreq(box_px, 1 / box_px).round().astype(int)
    for index in np.ndindex(spectrum.shape):
        hkl = [int(order[i]) for i in reversed(index)]
        if sum(i * i for i in hkl) < (box_px / 2) ** 2 * (1 - 1e-6):
            spectrum[index] = calculator.calculate_sf_from_model(model, hkl)
    values = np.fft.irfftn(spectrum.conj(), s=(box_px,) * 3, axes=(0, 1, 2))
    return values * VOLT_A2 / voxel_size_A**3


def relative_error(atoms, voxel_size_A, box_px):
    expected = summed(atoms, voxel_size_A, box_px)
    got = potential(atoms, voxel_size_A, box_px, bulk_solvent_V=None).values.double().numpy()
    rms = np.sqrt(((got - expected) ** 2).mean() / (expected**2).mean())
    return rms, abs(got - expected).max() / abs(expected).max()


@pytest.mark.parametrize(("voxel_size_A", "box_px"), [(0.8, 30), (1.5, 24), (2.37, 21), (5.0, 16)])
def test_many_elements_and_b_factors(voxel_size_A, box_px):
    rng = np.random.default_rng(0)
    radius_A = 0.3 * voxel_size_A * box_px
    elements = tuple(rng.choice(["H", "C", "N", "O", "P", "S", "Fe", "Zn"], 150).tolist())
    atoms = Atoms(
        rng.uniform(-radius_A / 1.2, radius_A / 1.2, (150, 3)), elements, rng.uniform(20, 100, 150)
    )
    rms, largest = relative_error(atoms, voxel_size_A, box_px)
    assert rms < 0.002
    assert largest < 0.002


def test_a_peptide_with_riding_hydrogens():
    whole = assembly_atoms("lobed_c1")
    heavy = np.flatnonzero(np.array(whole.elements) != "H")
    near = heavy[
        np.argsort(np.linalg.norm(whole.positions_A[heavy] - whole.positions_A[heavy[0]], axis=1))
    ][:120]
    bare = Atoms(
        whole.positions_A[near], tuple(whole.elements[i] for i in near), np.linspace(20, 100, 120)
    )
    riding = add_hydrogens(bare)
    assert len(riding) > 200
    rms, largest = relative_error(riding, 1.5, 24)
    assert rms < 0.002
    assert largest < 0.002


def test_more_atoms_than_gemmi_is_given_at_once():
    """A thousand and one: the remainder counts, each with its own element, place and B factor."""
    n = 1001
    line = np.zeros((n, 3))
    line[-1] = [9.0, -4.0, 6.0]
    b_factors_A2 = np.full(n, 60.0)
    b_factors_A2[-1] = 25.0
    atoms = Atoms(line, ("H",) * (n - 1) + ("Zn",), b_factors_A2)
    rms, largest = relative_error(atoms, 2.0, 16)
    assert rms < 0.002
    assert largest < 0.002


def test_one_atom_displaces_ice_with_a_soft_edge():
    side, grid_A = 32, 0.6
    centre = np.array([[9.3, 9.8, 10.1]])
    share = displaced_ice(centre, side, grid_A).numpy()
    axis = np.arange(side) * grid_A
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    distance2 = (x - 9.3) ** 2 + (y - 9.8) ** 2 + (z - 10.1) ** 2
    expected = 1 - np.exp(-HEIGHT * np.exp(-distance2 / (2 * WIDTH_A**2)))
    assert abs(share - expected).max() < 0.02
    assert share.min() >= 0
    assert share.max() <= 1


def test_the_boundary_of_a_flat_slab_falls_as_its_closed_form():
    """Layers of a lattice finer than the Gaussians: phi varies along z alone."""
    step_A, side, grid_A = 1.25, 60, 0.5
    count = int(side * grid_A / step_A)
    plane = (np.arange(count) + 0.25) * step_A
    x, y, z = np.meshgrid(plane, plane, plane[: count // 2], indexing="ij")
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    share = displaced_ice(points, side, grid_A).numpy().mean(axis=(1, 2))
    layers_A, middle_A = plane[: count // 2], np.arange(side) * grid_A
    waves = np.exp(-((middle_A[:, None] - layers_A) ** 2) / (2 * WIDTH_A**2))
    phi = HEIGHT * 2 * np.pi * WIDTH_A**2 / step_A**2 * waves.sum(1)
    near = abs(middle_A - layers_A[-1]) < 7
    assert abs(share - (1 - np.exp(-phi)))[near].max() < 0.02
    falling = share[near]
    assert (np.diff(falling) <= 1e-6).all()
    soft = ((falling > 0.05) & (falling < 0.95)).sum() * grid_A
    assert 1.5 < soft < 5  # angstrom from full to none


def test_the_solvent_is_taken_from_the_map_as_that_share():
    atoms = Atoms(np.zeros((1, 3)), ("C",), np.array([40.0]))
    voxel_A = 1.0
    taken = (
        potential(atoms, voxel_A, 32, None).values - potential(atoms, voxel_A, 32).values
    ).sum()
    radius_A = torch.linspace(0, 12, 4001, dtype=torch.float64)
    share = 1 - torch.exp(-HEIGHT * torch.exp(-(radius_A**2) / (2 * WIDTH_A**2)))
    volume_A3 = torch.trapezoid(4 * np.pi * radius_A**2 * share, radius_A)
    assert float(taken) * voxel_A**3 == pytest.approx(VITREOUS_ICE_V * float(volume_A3), rel=0.02)
