import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from cryoccd.errors import CryoccdError
from cryoccd.specimen.assemblies import ASSEMBLIES, assembly_atoms
from cryoccd.specimen.potential import potential
from cryoccd.specimen.scattering import atomic_masses
from cryoccd.specimen.symmetry import point_group

SMALL = ["cage_o", "dimer_d2", "lobed_c1"]


@pytest.mark.parametrize("name", ASSEMBLIES)
@pytest.mark.parametrize("flex", [0.0, 0.7])
def test_every_operator_maps_the_atoms_onto_themselves(name, flex):
    atoms = assembly_atoms(name, seed=3, flex=flex)
    tree = cKDTree(atoms.positions_A)
    some = np.random.default_rng(0).choice(len(atoms), 300, replace=False)
    elements = np.array(atoms.elements)
    for operator in point_group(ASSEMBLIES[name].symmetry):
        distance, image = tree.query(atoms.positions_A[some] @ operator.T)
        assert distance.max() < 1e-9
        assert (elements[image] == elements[some]).all()


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_mass_and_composition_are_those_of_protein(name):
    atoms = assembly_atoms(name)
    mass_kDa = atomic_masses(atoms.elements).sum() / 1e3
    assert mass_kDa == pytest.approx(ASSEMBLIES[name].mass_kDa, rel=0.02, abs=1.5)
    assert 55 <= mass_kDa <= 4000
    elements = np.array(atoms.elements)
    heavy = (elements != "H").sum()
    for element, share in {"C": 0.631, "N": 0.174, "O": 0.19, "H": 1.0}.items():
        assert (elements == element).sum() / heavy == pytest.approx(share, abs=0.05)


def test_the_masses_span_the_claim_and_the_groups_differ():
    masses = [assembly.mass_kDa for assembly in ASSEMBLIES.values()]
    assert min(masses) == 58
    assert max(masses) == 4000
    assert {a.symmetry for a in ASSEMBLIES.values()} == {"D7", "O", "I1", "D2", "C1", "C2"}


@pytest.mark.parametrize("name", ["barrel_d7", "cage_o", "lobed_c1"])
def test_the_interior_has_the_density_of_protein(name):
    atoms = assembly_atoms(name)
    tree = cKDTree(atoms.positions_A)
    counts = tree.query_ball_point(atoms.positions_A[::37], 8.0, return_length=True)
    per_A3 = np.percentile(counts, 95) / (4 / 3 * np.pi * 8**3)  # all others lie near a surface
    assert per_A3 == pytest.approx(0.1145, rel=0.12)  # 1.35 g/cm^3 at 7.1 Da an atom
    assert counts.max() / (4 / 3 * np.pi * 8**3) < 1.3 * 0.1145  # nowhere do copies overlap


@pytest.mark.parametrize("name", ["barrel_d7", "cage_o", "shell_i"])
def test_hollow_bodies_are_hollow(name):
    positions = assembly_atoms(name).positions_A
    if name == "barrel_d7":
        positions = positions[:, :2]  # a channel along z
    assert np.percentile(np.linalg.norm(positions, axis=1), 0.1) > 10


def test_seeds_repeat_and_differ():
    first, again, other = (assembly_atoms("cage_o", seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.positions_A, again.positions_A)
    assert first.elements == again.elements
    assert first.positions_A.shape != other.positions_A.shape or not np.allclose(
        first.positions_A, other.positions_A
    )


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_flex_moves_one_part_smoothly(name):
    rest, slight, half, full = (
        assembly_atoms(name, flex=flex).positions_A for flex in (0, 0.01, 0.5, 1)
    )
    moved = np.linalg.norm(full - rest, axis=1)
    assert 0.05 < (moved > 0).mean() < 0.7
    assert 2 < moved.max() < 30
    assert np.linalg.norm(slight - rest, axis=1).max() < 0.02 * moved.max()
    assert np.linalg.norm(half - rest, axis=1).max() == pytest.approx(moved.max() / 2, rel=0.05)


def correlation(one, other):
    one, other = one.flatten() - one.mean(), other.flatten() - other.mean()
    return float(one @ other / (one.norm() * other.norm()))


def test_the_asymmetric_body_is_no_mirror_image_and_has_no_axis():
    atoms = assembly_atoms("lobed_c1")
    values = potential(atoms, 4.0, 49).values  # odd: flips are about the middle
    moments = np.linalg.eigh(np.cov(atoms.positions_A.T))[1]
    if np.linalg.det(moments) < 0:
        moments[:, 0] *= -1
    aligned = type(atoms)(atoms.positions_A @ moments, atoms.elements, atoms.b_factors_A2)
    values = potential(aligned, 4.0, 49).values
    mirror = values.flip(0)
    turns = [(), (0, 1), (0, 2), (1, 2)]  # the half turns that keep the principal axes
    assert max(correlation(values, mirror.flip(turn) if turn else mirror) for turn in turns) < 0.8
    assert max(correlation(values, values.flip(turn)) for turn in turns[1:]) < 0.8


@pytest.mark.parametrize("name", SMALL)
def test_bodies_are_not_featureless_balls(name):
    values = potential(assembly_atoms(name), 3.0, 80).values
    turned = torch.rot90(values, 1, (1, 2)) if name != "cage_o" else values.transpose(1, 2)
    assert correlation(values, turned) < 0.8


def test_bad_requests_are_refused():
    with pytest.raises(CryoccdError, match="expected one of barrel_d7"):
        assembly_atoms("barrel")
    with pytest.raises(CryoccdError, match="flex = 2"):
        assembly_atoms("cage_o", flex=2)
