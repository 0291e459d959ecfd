import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from specimen_files import walk

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms
from cryoccd.specimen.alignment import align
from cryoccd.specimen.assemblies import ASSEMBLIES, assembly_atoms
from cryoccd.specimen.model import Model, model_of_copies
from cryoccd.specimen.structure import read_models
from cryoccd.specimen.symmetry import point_group

TURN = Rotation.from_euler("zyx", [50, 70, 110], degrees=True).as_matrix()
SHIFT = np.array([31.0, -8.0, 4.0])


def model_of(chains, sites=None):
    """A model of C-alpha chains; chains of one list have one sequence."""
    points = np.concatenate(chains)
    n = [len(chain) for chain in chains]
    return Model(
        Atoms(points, ("C",) * len(points), np.zeros(len(points))),
        np.repeat(np.arange(len(chains)), n),
        np.concatenate([np.arange(k) for k in n]) if sites is None else sites,
        np.ones(len(points), dtype=bool),
    )


def symmetric(name, noise_A=0.0, residues=20):
    rng = np.random.default_rng(1)
    chains = [walk(residues, 3) @ operator.T for operator in point_group(name)]
    return model_of([chain + rng.normal(0, noise_A, chain.shape) for chain in chains])


def moved(model):
    return model.moved(model.atoms.positions_A @ TURN.T + SHIFT)


def largest_distance_A(points, operators):
    """Of any point from the nearest, over all rotated copies: no knowledge of chains."""
    tree = cKDTree(points)
    return max(tree.query(points @ operator.T)[0].max() for operator in operators)


@pytest.mark.parametrize("name", ["C2", "C5", "D2", "D3", "D7", "T", "O", "I"])
def test_a_turned_structure_comes_back_to_the_setting_of_its_group(name):
    model = moved(symmetric(name))
    alignment = align(model, name)
    points = alignment.apply(model).atoms.positions_A
    assert largest_distance_A(model.atoms.positions_A - SHIFT, point_group(name)) > 2
    assert largest_distance_A(points, point_group(name)) < 1e-6
    assert alignment.rmsd_A < 1e-6
    if name[0] != "C":  # no point on the axis of Cn is better than another
        np.testing.assert_allclose(alignment.centre_A, SHIFT, atol=1e-6)


@pytest.mark.parametrize("name", ["I1", "I2", "I3", "I4"])
def test_icosahedra_come_to_the_named_setting(name):
    operators = point_group(name)
    model = moved(symmetric("I"))
    points = align(model, name).apply(model).atoms.positions_A
    assert largest_distance_A(points, operators) < 1e-6


def test_the_measured_residual_is_that_of_noise():
    noise_A = 0.3
    alignment = align(moved(symmetric("D3", noise_A, 100)), "D3")
    # 5 of 6 operators compare independent noise, the identity none
    assert alignment.rmsd_A == pytest.approx(noise_A * (2 * 3 * 5 / 6) ** 0.5, rel=0.1)
    error = align(moved(symmetric("D3", 0, 100)), "D3").turn @ alignment.turn.T
    angle = np.rad2deg(Rotation.from_matrix(error).magnitude()) % 60  # D3 allows two settings
    assert min(angle, 60 - angle) < 0.5


def test_quasi_equivalent_chains_do_not_mislead():
    shell = [np.stack([walk(12, 5, (24, 6, 90)), walk(12, 5, (18, 30, 86)) + 1.0])]
    chains = [chain @ operator.T for operator in point_group("I") for chain in shell[0]]
    model = moved(model_of(chains))  # 120 chains of one sequence, 60 operators
    points = align(model, "I").apply(model).atoms.positions_A
    assert largest_distance_A(points, point_group("I")) < 1e-5


def test_chains_of_two_kinds_and_missing_residues():
    operators = point_group("D2")
    long = [walk(30, 7) @ operator.T for operator in operators]
    short = [walk(15, 8, (5, 25, -9)) @ operator.T for operator in operators]
    chains = [long[0][4:], *long[1:], *short]
    sites = [np.arange(4, 30), *[np.arange(30)] * 3, *[np.arange(100, 115)] * 4]
    model = moved(model_of(chains, np.concatenate(sites)))
    aligned = align(model, "D2").apply(model).atoms.positions_A
    tree = cKDTree(aligned)
    for operator in operators:  # the residues that one chain lacks have no image
        assert np.quantile(tree.query(aligned @ operator.T)[0], 0.95) < 1e-6


def test_the_setting_nearest_to_the_file_is_taken():
    model = symmetric("O")
    np.testing.assert_allclose(align(model, "O").turn, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(align(model, "C1").turn, np.eye(3))


@pytest.mark.parametrize(
    ("has", "asked"), [("D7", "O"), ("C5", "C4"), ("C3", "D3"), ("T", "O"), ("C1", "C2")]
)
def test_a_symmetry_that_is_not_there_is_refused_with_its_residual(has, asked):
    with pytest.raises(CryoccdError, match=rf"'{asked}'.*leaves \d+\.\d A rmsd"):
        align(moved(symmetric(has)), asked)


def test_atoms_without_chains_are_refused():
    points = np.eye(3) * 10
    lone = Model(
        Atoms(points, ("C",) * 3, np.zeros(3)), np.arange(3), np.zeros(3, int), np.ones(3, bool)
    )
    with pytest.raises(CryoccdError, match="no chain of 3 residues"):
        align(lone, "C3")


@pytest.mark.parametrize("name", ["barrel_d7", "cage_o", "dimer_d2"])
def test_embedded_assemblies_are_aligned(name):
    symmetry = ASSEMBLIES[name].symmetry
    model = moved(model_of_copies(assembly_atoms(name), len(point_group(symmetry))))
    alignment = align(model, symmetry)
    assert alignment.rmsd_A < 1e-6
    points = alignment.apply(model).atoms.positions_A
    assert largest_distance_A(points[::20], point_group("C1")) == 0
    tree = cKDTree(points)
    for operator in point_group(symmetry):
        assert tree.query(points[::50] @ operator.T)[0].max() < 1e-6


@pytest.mark.parametrize(("entry", "symmetry"), [("3j9i", "D7"), ("5a1a", "D2"), ("6z6u", "O")])
def test_deposited_structures_are_aligned(real_data, entry, symmetry):
    model = read_models(real_data / "structures" / f"{entry}.pdb")[0]
    for start in (model, moved(model)):
        alignment = align(start, symmetry)
        assert alignment.rmsd_A < 0.1
        points = alignment.apply(start).atoms.positions_A
        nodes = points[start.node]
        assert largest_distance_A(nodes, point_group(symmetry)) < 0.5
    with pytest.raises(CryoccdError, match="A rmsd"):
        align(model, "I")
