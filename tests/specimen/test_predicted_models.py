import numpy as np
import pytest
from specimen_files import walk, write_pdb

from cryoccd.errors import CryoccdError
from cryoccd.specimen.confidence import position_b_factors_A2
from cryoccd.specimen.structure import B_FACTOR_LIMIT_A2, read_models, read_structure

PLDDT = np.array([95.0, 92, 88, 71, 50, 49.9, 30, 12])
TITLE = ("TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR A TEST PROTEIN (P12345)",)
XRAY = ("TITLE     SOLVED WITH AN ALPHAFOLD MODEL", "EXPDTA    X-RAY DIFFRACTION")


def write(path, header=TITLE, plddt=PLDDT):
    return write_pdb(path, [walk(len(plddt), 1)], header, plddt)


def write_cif(path, metric="pLDDT", title="A prediction", entry="AF-P12345-F1"):
    rows = [
        f"ATOM {i} C CA . GLY A {i} {4 * i} 0 0 1 {b} A {i} 1" for i, b in enumerate(PLDDT, start=1)
    ]
    fields = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id "
        "label_seq_id Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv auth_asym_id auth_seq_id "
        "pdbx_PDB_model_num"
    )
    lines = [f"data_{entry}", f"_entry.id {entry}", f"_struct.title '{title}'"]
    lines += ["loop_", "_ma_qa_metric.id", "_ma_qa_metric.name", f"1 {metric}"]
    lines += ["loop_", *(f"_atom_site.{field}" for field in fields.split()), *rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("plddt", "b_A2"),
    # rmsd 1.5, 0.674, 3.338 A: 1.5 exp(4 (0.7 - pLDDT / 100)) on a pocket calculator
    [(70.0, 26.3189 * 2.25), (90.0, 26.3189 * 0.45427), (50.0, 26.3189 * 11.1448)],
)
def test_b_factors_follow_the_published_relation(plddt, b_A2):
    assert position_b_factors_A2(np.array([plddt]))[0] == pytest.approx(b_A2, rel=1e-4)


def test_low_confidence_is_dropped_and_the_rest_are_no_b_factors(tmp_path):
    atoms = read_structure(write(tmp_path / "AF-P12345-F1.pdb"))
    assert len(atoms) == 5
    np.testing.assert_allclose(atoms.b_factors_A2, position_b_factors_A2(PLDDT[:5]))
    assert (np.diff(atoms.b_factors_A2) > 0).all()  # less confident is more blurred


def test_low_confidence_is_blurred_on_request(tmp_path):
    path = write(tmp_path / "a.pdb")
    atoms = read_models(path, plddt_blur=True)[0].atoms
    assert len(atoms) == 8
    expected = position_b_factors_A2(PLDDT).clip(max=B_FACTOR_LIMIT_A2)
    np.testing.assert_allclose(atoms.b_factors_A2, expected, rtol=1e-5)
    assert len(read_models(path, plddt_minimum=90)[0].atoms) == 2
    with pytest.raises(CryoccdError, match=r"no residue has pLDDT of 99 or more, the best has 95"):
        read_models(path, plddt_minimum=99)


@pytest.mark.parametrize(
    ("metric", "title", "entry", "predicted"),
    [
        ("pLDDT", "A model", "XXXX", True),
        ("PAE", "AlphaFold prediction for X", "XXXX", True),
        ("PAE", "A model", "AF-P12345-F1", True),
        ("PAE", "A model", "XXXX", False),
    ],
)
def test_mmcif_says_that_it_is_predicted(tmp_path, metric, title, entry, predicted):
    atoms = read_structure(write_cif(tmp_path / "a.cif", metric, title, entry))
    assert len(atoms) == (5 if predicted else 8)
    if not predicted:
        np.testing.assert_allclose(atoms.b_factors_A2, PLDDT)


def test_an_experiment_keeps_its_b_factors_unless_told_otherwise(tmp_path):
    path = write(tmp_path / "a.pdb", XRAY)
    np.testing.assert_allclose(read_structure(path).b_factors_A2, PLDDT)
    assert len(read_models(path, plddt=True)[0].atoms) == 5
    plain = write(tmp_path / "b.pdb", ())
    assert len(read_models(plain)[0].atoms) == 8
    predicted = write(tmp_path / "c.pdb")
    np.testing.assert_allclose(read_models(predicted, plddt=False)[0].atoms.b_factors_A2, PLDDT)


@pytest.mark.parametrize(
    "column", [np.zeros(8), np.full(8, 90.0), PLDDT + 20, PLDDT / 100, PLDDT - 20]
)
def test_a_column_without_plddt_is_refused(tmp_path, column):
    with pytest.raises(CryoccdError, match="expected pLDDT of 0 to 100") as caught:
        read_structure(write(tmp_path / "a.pdb", plddt=column))
    assert str(tmp_path / "a.pdb") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_residue_is_kept_or_dropped_as_a_whole(tmp_path):
    path = tmp_path / "a.pdb"
    place = "{:8.3f}   0.000   0.000  1.00{:6.2f}           {}"
    atoms = [("N ", 1, 40, "N"), ("CA", 1, 70, "C"), ("CA", 2, 20, "C"), ("CB", 2, 60, "C")]
    lines = [
        f"ATOM  {i:5d}  {name}  ALA A{residue:4d}    " + place.format(1.5 * i, plddt, element)
        for i, (name, residue, plddt, element) in enumerate(atoms)
    ]
    path.write_text("\n".join([*TITLE, *lines, "END"]) + "\n")
    kept = read_structure(path)
    assert kept.elements == ("N", "C")
    np.testing.assert_allclose(kept.b_factors_A2, position_b_factors_A2(np.array([55.0, 55.0])))
