import numpy as np
import pytest
from specimen_files import walk, write_pdb

from cryoccd.errors import CryoccdError
from cryoccd.specimen.alignment import align
from cryoccd.specimen.structure import read_models, read_structure
from cryoccd.specimen.symmetry import point_group


def biomt(number, operators, chains="A"):
    lines = [
        f"REMARK 350 BIOMOLECULE: {number}",
        f"REMARK 350 APPLY THE FOLLOWING TO CHAINS: {chains}",
    ]
    for index, operator in enumerate(operators, start=1):
        for row, (x, y, z) in enumerate(operator, start=1):
            lines.append(
                f"REMARK 350   BIOMT{row} {index:3d}{x:10.6f}{y:10.6f}{z:10.6f}{0.0:15.5f}"
            )
    return lines


@pytest.fixture
def unit():
    return walk(20, 3)


@pytest.fixture
def capsid(tmp_path, unit):
    """An asymmetric unit with the icosahedral shell as assembly 1 and a dimer as assembly 2."""
    header = [
        "REMARK 350",
        *biomt(1, point_group("I")),
        *biomt(2, point_group("C2")),
    ]
    return write_pdb(tmp_path / "capsid.pdb", [unit], header)


def test_assembly_1_is_the_default_and_others_can_be_chosen(capsid, unit):
    whole = read_models(capsid)[0]
    assert len(whole.atoms) == 60 * 20
    assert len(np.unique(whole.chain)) == 60
    expected = np.concatenate([unit @ operator.T for operator in point_group("I")])
    np.testing.assert_allclose(whole.atoms.positions_A, expected, atol=2e-3)
    assert len(read_models(capsid, "2")[0].atoms) == 40
    alone = read_models(capsid, "asymmetric_unit")[0].atoms
    np.testing.assert_allclose(alone.positions_A, unit, atol=1e-3)
    assert len(read_structure(capsid)) == 20
    assert align(whole, "I").rmsd_A < 0.01
    with pytest.raises(CryoccdError, match="'I': the structure does not have it"):
        align(read_models(capsid, "2")[0], "I")


def test_unknown_assemblies_are_refused_with_the_known_ones(capsid, tmp_path, unit):
    with pytest.raises(CryoccdError, match="assembly '3', expected one of 1, 2, asymmetric_unit"):
        read_models(capsid, "3")
    plain = write_pdb(tmp_path / "plain.pdb", [unit, unit + 30])
    with pytest.raises(CryoccdError, match="assembly '2', expected one of asymmetric_unit"):
        read_models(plain, "2")


def test_an_assembly_of_absent_chains_is_refused(tmp_path, unit):
    header = biomt(1, point_group("C3"), chains="Q")
    path = write_pdb(tmp_path / "a.pdb", [unit], header)
    with pytest.raises(CryoccdError, match="assembly '1' cannot be made"):
        read_models(path)
    assert len(read_models(path, "asymmetric_unit")[0].atoms) == 20


def test_a_file_without_assemblies_stays_as_it_is(tmp_path, unit):
    plain = write_pdb(tmp_path / "plain.pdb", [unit, unit + 30])
    assert len(read_models(plain)[0].atoms) == 40


def test_every_model_is_expanded(tmp_path, unit):
    text = (
        write_pdb(tmp_path / "a.pdb", [unit], biomt(1, point_group("C3"))).read_text().splitlines()
    )
    header = [line for line in text if line.startswith("REMARK")]
    atoms = [line for line in text if line.startswith("ATOM")]
    models = []
    for number in (1, 2, 3):
        models += [f"MODEL     {number:4d}", *atoms[: 20 - number], "ENDMDL"]
    path = tmp_path / "models.pdb"
    path.write_text("\n".join([*header, *models, "END"]) + "\n")
    assert [len(model.atoms) for model in read_models(path)] == [57, 54, 51]


def test_deposited_files_hold_their_whole_assembly(real_data):
    for entry, chains in (("3j9i", 28), ("5a1a", 4), ("6z6u", 24)):
        path = real_data / "structures" / f"{entry}.pdb"
        model = read_models(path)[0]
        assert len(np.unique(model.chain)) == chains
        assert len(model.atoms) == len(read_structure(path))
