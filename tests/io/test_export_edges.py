"""What real sets and mistaken choices do to exports: nothing is lost or left out unsaid."""

import pickle
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import starfile
from import_inputs import H, W, do_import, flat, star, write_micrographs
from test_export_copick import write_tilts
from test_export_relion import export

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.tomograms import export_tomograms

COLUMNS = ["rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY"]
POSE = ["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnDefocusU", "rlnDefocusV"]
OPTICS = "voltage_kV: 300\ncs_mm: 2.7\namplitude_contrast: 0.1\n"


def imported(folder: Path, optics: str = OPTICS, output: str = "imported") -> Path:
    """Picks with angles and defocus; one micrograph has no pick, so that it has no defocus."""
    write_micrographs(folder / "real")
    (folder / "real/optics.yaml").write_text(optics)
    rows = [[*row, 10, 20, 30, 15000, 14000] for row in flat()]
    picks = folder / "picks.star"
    picks.write_text(star("particles", [*COLUMNS, *POSE], rows))
    return do_import(folder, picks, output=output).root


def test_particles_keep_their_defocus_though_a_micrograph_has_none(tmp_path):
    source = imported(tmp_path)
    particles = starfile.read(export(source, tmp_path / "r", box_px=16) / "particles.star")
    assert (particles["particles"]["rlnDefocusU"] == 15000).all()
    out = export(source, tmp_path / "c", "cryodrgn", box_px=16)
    ctf = pickle.loads((out / "ctf.pkl").read_bytes())
    np.testing.assert_allclose(ctf[:, 2:4], np.tile([15000, 14000], (len(ctf), 1)))


def test_cryodrgn_gets_no_unknown_optics(tmp_path):
    source = imported(tmp_path, "cs_mm: 2.7\namplitude_contrast: 0.1\n")
    with pytest.raises(CryoccdError, match=r"FoilHole_1\.a: voltage_kV is unknown"):
        export(source, tmp_path / "out", "cryodrgn", box_px=12)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["relion", "cryodrgn"])
def test_a_set_may_have_any_name(tmp_path, format):
    source = imported(tmp_path, output="d\u00e9j\u00e0")
    out = export(source, tmp_path / "out", format, box_px=12)
    stacks = sorted(out.rglob("*.mrcs"))
    assert stacks
    for path in stacks:
        with mrcfile.open(path, header_only=True) as file:
            assert file.header.label[0].endswith(b"picks of d?j?")


@pytest.mark.parametrize("format", ["relion", "eman", "cryolo"])
def test_a_box_wider_than_the_field_is_refused(tmp_path, format):
    source = imported(tmp_path)
    side = min(H, W)
    export(source, tmp_path / "fits", format, box_px=side)
    with pytest.raises(CryoccdError, match=f"box_px = {side + 2}, but .* has {W} x {H} px"):
        export(source, tmp_path / "out", format, box_px=side + 2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("species", ["", ",", "particle,particle"])
def test_species_are_named_once(tmp_path, species, capsys):
    source = imported(tmp_path)
    argv = ["--input", str(source), "--output", str(tmp_path / "out"), "--format", "topaz"]
    assert main(["export", *argv, "--species", species]) == 2
    assert "expected names, each of them once" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_copick_tells_what_it_leaves_out(tmp_path, capsys):
    tomograms = write_tilts(tmp_path / "set")
    text = export_tomograms(tomograms, tmp_path / "out")
    total = len(tomograms.particles)
    assert text.endswith(f"{total - 1} particles; 1 centres outside their tomogram left out")
    argv = ["--input", str(tmp_path / "set"), "--output", str(tmp_path / "none")]
    assert main(["export", *argv, "--format", "copick", "--species", "a_lobe"]) == 2
    assert "takes no --species" in capsys.readouterr().err


def test_maps_of_other_names_are_refused_by_verify(tmp_path, capsys):
    source = imported(tmp_path)
    assert Dataset(source).names
    maps = tmp_path / "maps"
    maps.mkdir()
    assert main(["verify", "--input", str(source), "--maps", str(maps)]) == 2
    assert "no map has the name of a species" in capsys.readouterr().err


def test_a_micrograph_may_be_called_na(tmp_path):
    write_micrographs(tmp_path / "real", ("NA", "007"))
    picks = tmp_path / "picks.txt"
    picks.write_text("image_name\tx_coord\ty_coord\nNA\t10\t11\n007\t12\t13\n")
    dataset = do_import(tmp_path, picks)
    assert [len(dataset.particles_of(name)) for name in ("NA", "007")] == [1, 1]
