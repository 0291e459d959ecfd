import gzip

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.specimen.structure import B_FACTOR_LIMIT_A2, read_structure


def pdb_line(serial, name, residue, number, xyz, occupancy, b_factor, element, alternative=" "):
    x, y, z = xyz
    return (
        f"ATOM  {serial:5d} {name:<4}{alternative}{residue:>3} A{number:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{b_factor:6.2f}          {element:>2}\n"
    )


PDB = (
    "MODEL        1\n"
    + pdb_line(1, " N", "ALA", 1, (1.25, -2.5, 3.75), 1, 20, "N")
    + pdb_line(2, " CA", "ALA", 1, (2, 0, 0), 0.4, 30, "C", "A")
    + pdb_line(3, " CA", "ALA", 1, (2.5, 0, 0), 0.6, 31, "C", "B")
    + pdb_line(4, " D", "ALA", 1, (1, 1, 1), 1, -5, "D")
    + pdb_line(5, " O", "HOH", 2, (9, 9, 9), 1, 20, "O")
    + pdb_line(6, "ZN", " ZN", 3, (7, 7, 7), 1, 999, "ZN").replace("ATOM  ", "HETATM")
    + "ENDMDL\nMODEL        2\n"
    + pdb_line(1, " N", "ALA", 1, (50, 50, 50), 1, 20, "N")
    + "ENDMDL\nEND\n"
)

CIF = """data_test
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
_atom_site.pdbx_PDB_model_num
ATOM 1 N N . ALA A 1 1.25 -2.5 3.75 1 20 1
ATOM 2 C CA A ALA A 1 2 0 0 0.4 30 1
ATOM 3 C CA B ALA A 1 2.5 0 0 0.6 31 1
ATOM 4 D D . ALA A 1 1 1 1 1 -5 1
HETATM 5 O O . HOH B . 9 9 9 1 20 1
HETATM 6 ZN ZN . ZN C . 7 7 7 1 999 1
ATOM 7 N N . ALA A 1 50 50 50 1 20 2
"""


@pytest.fixture(params=["a.pdb", "a.ent", "a.pdb.gz", "a.cif", "a.mmcif", "a.cif.gz"])
def structure_file(request, tmp_path):
    path = tmp_path / request.param
    text = PDB if ".cif" not in path.name and ".mmcif" not in path.name else CIF
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text)
    return path


def test_every_format_gives_the_same_atoms(structure_file):
    atoms = read_structure(structure_file)
    assert atoms.elements == ("N", "C", "H", "Zn")
    expected = [[1.25, -2.5, 3.75], [2.5, 0, 0], [1, 1, 1], [7, 7, 7]]
    np.testing.assert_allclose(atoms.positions_A, expected, atol=1e-9)
    np.testing.assert_allclose(atoms.b_factors_A2, [20, 31, 0, B_FACTOR_LIMIT_A2])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.pdb", None, "no such file"),
        ("empty.pdb", "", "no atoms"),
        ("prose.pdb", "hello\nworld\n", "no atoms"),
        ("prose.cif", "hello\n", "not a readable structure"),
        ("a.xyz", "1\n\nC 0 0 0\n", "not a readable structure"),
        ("cut.pdb.gz", gzip.compress(PDB.encode(), mtime=0)[:40], "not a readable structure"),
        ("water.pdb", pdb_line(1, " O", "HOH", 1, (0, 0, 0), 1, 20, "O"), "no atoms"),
        ("x.pdb", pdb_line(1, " X1", "UNK", 1, (0, 0, 0), 1, 20, "X"), "element 'X'"),
        ("es.pdb", pdb_line(1, "ES", " ES", 1, (0, 0, 0), 1, 20, "ES"), "element 'Es'"),
        ("nan.cif", CIF.replace("1.25 -2.5", "? -2.5"), "NaN"),
    ],
)
def test_bad_structures_give_one_line(tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CryoccdError) as caught:
        read_structure(path)
    message = str(caught.value)
    assert said in message
    assert name in message
    assert "\n" not in message
