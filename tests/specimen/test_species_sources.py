import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.records import Atoms, Volume
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.hydrogens import add_hydrogens
from cryoccd.specimen.potential import potential
from cryoccd.specimen.scattering import atomic_masses
from cryoccd.specimen.species import diameter_A, load_species, species_atoms
from cryoccd.specimen.structure import read_structure
from cryoccd.specimen.symmetry import point_group

# glycine-alanine-serine like fragment: ideal geometry of N-acetyl-alanine methylamide (angstrom)
ALANINE = """
C  -2.37  1.23  0.00
C  -1.43  0.05  0.00
O  -1.85 -1.10  0.00
N  -0.13  0.36  0.00
C   0.93 -0.64  0.00
C   0.86 -1.53  1.24
C   2.29  0.05  0.00
O   2.40  1.28  0.00
N   3.35 -0.76  0.00
C   4.70 -0.22  0.00
"""


def alanine():
    rows = [line.split() for line in ALANINE.strip().splitlines()]
    positions = np.array([[float(v) for v in row[1:]] for row in rows])
    return Atoms(positions, tuple(row[0] for row in rows), np.full(len(rows), 15.0))


def test_hydrogens_have_the_right_number_length_and_distance():
    bare = alanine()
    full = add_hydrogens(bare)
    np.testing.assert_array_equal(full.positions_A[: len(bare)], bare.positions_A)
    hydrogens = full.positions_A[len(bare) :]
    assert set(full.elements[len(bare) :]) == {"H"}
    distance, carrier = cKDTree(bare.positions_A).query(hydrogens)
    # CH3, C=O, NH, CH, CH3, C=O, NH, CH3
    assert np.bincount(carrier, minlength=10).tolist() == [3, 0, 0, 1, 1, 3, 0, 0, 1, 3]
    lengths = [{"C": 1.09, "N": 1.01}[bare.elements[i]] for i in carrier]
    np.testing.assert_allclose(distance, lengths, atol=0.01)
    assert cKDTree(hydrogens).query(hydrogens, k=2)[0][:, 1].min() > 1.5
    second = cKDTree(bare.positions_A).query(hydrogens, k=2)[0][:, 1]
    assert second.min() > 1.85  # away from every other atom


def test_hydrogens_turn_with_the_molecule():
    turn = Rotation.from_euler("zyx", [20, 50, 70], degrees=True).as_matrix()
    bare = alanine()
    turned = Atoms(bare.positions_A @ turn.T, bare.elements, bare.b_factors_A2)
    expected, got = add_hydrogens(bare), add_hydrogens(turned)
    fixed = [10 + i for i in range(len(got) - 10) if got.positions_A.shape[0] > 10]
    near = cKDTree(expected.positions_A[fixed] @ turn.T).query(got.positions_A[fixed])[0]
    assert (near < 1e-6).sum() >= 3  # NH, NH and CH have no free torsion


def test_assembly_and_files_load_by_name(tmp_path):
    name, volume = load_species("assembly:lobed_c1", 6.0, 40)
    assert name == "lobed_c1"
    assert torch.equal(volume.values, potential(assembly_atoms("lobed_c1"), 6.0, 40).values)
    path = tmp_path / "My_map.MRC"
    write_mrc(path, volume.values.numpy(), 6.0, "test")
    name, again = load_species(str(path), 6.0, 40)
    assert name == "My_map"
    torch.testing.assert_close(again.values, volume.values, atol=1e-3, rtol=0)


def test_structures_without_hydrogens_get_them(tmp_path):
    path = tmp_path / "toy.v2.pdb"
    atoms = alanine()
    lines = []
    for i, (e, (x, y, z)) in enumerate(zip(atoms.elements, atoms.positions_A, strict=True)):
        place = f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 20.00"
        lines.append(f"ATOM  {i + 1:5d}  {e}{i:<2} ALA A   1    {place}           {e}")
    path.write_text("\n".join(lines) + "\n")
    assert species_atoms(str(path)).elements.count("H") == 12
    assert "H" not in read_structure(path).elements
    assert load_species(str(path), 2.0)[0] == "toy.v2"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("assembly:nothing", "expected one of barrel_d7"),
        ("protein.txt", "no specimen comes from this kind of source"),
        ("barrel_d7", "assembly: with barrel_d7"),
        ("absent.pdb", "no such file"),
        ("absent.cif.gz", "no such file"),
        ("absent.mrc", "no such file"),
    ],
)
def test_bad_sources_give_one_line(source, said):
    with pytest.raises(CryoccdError, match=said):
        load_species(source, 2.0)


def test_maps_have_no_atoms():
    with pytest.raises(CryoccdError, match="no atoms come from"):
        species_atoms("a.mrc")


@pytest.mark.parametrize("voxel_size_A", [1.0, 2.5])
def test_diameter_of_a_ball_is_its_own(voxel_size_A):
    n = 80
    axis = (torch.arange(n) - n // 2) * voxel_size_A
    radius = (axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis**2).sqrt()
    ball = Volume((radius <= 30).float(), voxel_size_A)
    assert diameter_A(ball) == pytest.approx(60 * 0.99 ** (1 / 3), abs=max(4, 2 * voxel_size_A))
    with pytest.raises(CryoccdError, match="empty"):
        diameter_A(Volume(torch.zeros(4, 4, 4), 1.0))


def test_apoferritin_is_octahedral_and_of_its_known_size(real_data):
    path = real_data / "structures" / "6z6u.pdb"
    bare = read_structure(path)
    assert len(bare) > 30000
    centre = np.average(bare.positions_A, axis=0, weights=atomic_masses(bare.elements))
    points = bare.positions_A - centre
    tree = cKDTree(points)
    for operator in point_group("O"):
        distance = tree.query(points[::29] @ operator.T)[0]
        assert np.median(distance) < 0.3
    full = species_atoms(str(path))
    heavy = len(bare)
    assert (len(full) - heavy) / heavy == pytest.approx(0.97, abs=0.06)
    for voxel_size_A in (3.0, 2.5):
        _, volume = load_species(str(path), voxel_size_A)
        assert diameter_A(volume) == pytest.approx(124, abs=6)  # outer diameter of apoferritin
    mean_V = float(volume.values[volume.values > 1].mean())
    assert 2 < mean_V < 10
