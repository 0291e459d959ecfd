"""`cryoccd fetch` against a local mirror, and the simulator's way to what it fetched."""

import gzip
import hashlib
from dataclasses import replace

import pytest
from archive_server import Archive

from cryoccd.cli import main
from cryoccd.io.published_weights import PUBLISHED
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.species import load_species

HEADER = b'<emd><map><contour_list><contour primary="true"><level>0.05</level></contour>'
ATOM = "ATOM {0} {1} {1}{0} . GLY A 1 {0} ? {2:.3f} {3:.3f} {4:.3f} 1.0 20.0 A 1"


def mmcif():
    """A few hundred atoms as mmCIF."""
    atoms = assembly_atoms("lobed_c1")
    names = "id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_entity_id"
    rest = "label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv"
    columns = ["group_PDB", *names.split(), *rest.split(), "auth_asym_id", "pdbx_PDB_model_num"]
    lines = ["data_1ABC", "loop_", *(f"_atom_site.{name}" for name in columns)]
    for index in range(300):
        lines.append(ATOM.format(index + 1, atoms.elements[index], *atoms.positions_A[index]))
    return gzip.compress("\n".join([*lines, ""]).encode())


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("CRYOCCD_CACHE", str(tmp_path / "cache"))
    server = Archive()
    server.files["/pdb/1abc.cif.gz"] = mmcif()
    server.files["/emdb/emd_1234.map.gz"] = gzip.compress(bytes(208) + b"MAP " + bytes(900))
    server.files["/emdb/emd_1234.xml"] = HEADER + b"</contour_list></map></emd>"
    monkeypatch.setenv("CRYOCCD_MIRROR", server.address)
    yield server
    server.close()


def test_fetched_entries_are_shown_and_then_read_without_network(mirror, tmp_path, capsys):
    assert main(["fetch", "pdb:1ABC", "emdb:1234"]) == 0
    shown = capsys.readouterr()
    assert f"pdb:1ABC: {tmp_path}/cache/pdb/1abc.cif.gz\n" in shown.out
    assert "emdb:1234: recommended contour 0.05\n" in shown.out
    assert shown.err == ""
    mirror.requests.clear()
    name, volume = load_species("pdb:1ABC", 3.0, 48)
    assert name == "1ABC"
    assert volume.values.max() > 1
    assert main(["fetch", "pdb:1ABC"]) == 0
    assert mirror.requests == []


def test_options(mirror, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CRYOCCD_MIRROR")
    there = tmp_path / "elsewhere"
    assert main(["fetch", "pdb:1ABC", "--cache", str(there), f"--mirror={mirror.address}"]) == 0
    assert (there / "pdb/1abc.cif.gz").is_file()


def test_weights(mirror, tmp_path, monkeypatch, capsys):
    content, published = b"weights", PUBLISHED["inception"]
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(PUBLISHED, "inception", replace(published, sha256=digest))
    mirror.files[f"/weights/{published.file}"] = content
    assert main(["fetch", "weights:inception"]) == 0
    path = tmp_path / "cache/weights" / published.file
    assert f"weights:inception: {path}\n" in capsys.readouterr().out
    mirror.files[f"/weights/{PUBLISHED['clip'].file}"] = content
    assert main(["fetch", "weights:clip"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "its SHA-256 is not the published c6032c2e" in error


def test_options_of_a_file(mirror, tmp_path):
    (tmp_path / "c.yaml").write_text(f"cache: {tmp_path}/there\n")
    assert main(["fetch", "--config", str(tmp_path / "c.yaml"), "pdb:1ABC"]) == 0
    assert (tmp_path / "there/pdb/1abc.cif.gz").is_file()


def test_every_name_is_checked_before_the_first_is_fetched(mirror, capsys):
    assert main(["fetch", "pdb:1ABC", "zenodo:10028"]) == 2
    assert mirror.requests == []
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "'zenodo:10028': unknown kind of entry" in error


@pytest.mark.parametrize("argv", [["pdb:9XYZ"], [], ["--nothing", "pdb:1ABC"]])
def test_faults_are_one_line(mirror, argv, capsys):
    assert main(["fetch", *argv]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_specimen_that_was_not_fetched_tells_the_command(mirror, tmp_path, capsys):
    argv = ["simulate", "--structure", "pdb:1ABC", "--output", str(tmp_path / "set")]
    assert main([*argv, "--shape_px", "[64, 64]", "--pixel_size_A", "8", "--count", "1"]) == 2
    assert "run `cryoccd fetch pdb:1ABC`" in capsys.readouterr().err


def test_help(capsys):
    assert main(["fetch", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("pdb:1PMA", "weights:inception", "--cache", "--mirror"):
        assert option in shown
