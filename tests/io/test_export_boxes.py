"""Exports for EMAN and crYOLO: boxes by lower left corner, read by others and by our import."""

import json
import os
import shutil
from importlib.util import find_spec

import numpy as np
import pytest
import starfile
from export_scripts import run, run_python
from test_export_relion import export
from toys import exposure, write_simulated

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.io.picks import read_picks_file

needs_relion = pytest.mark.skipif(
    shutil.which("relion_preprocess") is None,
    reason="relion_preprocess is absent: install the system package relion",
)
CBOX = (
    *("CoordinateX", "CoordinateY", "CoordinateZ", "Width", "Height", "Depth"),
    *("EstWidth", "EstHeight", "Confidence", "NumBoxes", "Angle"),
)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    """Three micrographs of 128 px with 9 dark blobs of 16 px, some near the edge; one has none."""
    return write_simulated(tmp_path_factory.mktemp("boxes") / "set", count=3, empty=(2,))


@pytest.fixture(scope="module")
def eman(blobs):
    return export(blobs, blobs.parent / "eman", "eman", box_px=32)


@pytest.fixture(scope="module")
def cryolo(blobs):
    return export(blobs, blobs.parent / "cryolo", "cryolo", particle_diameter_A=60.0)


def truth_px(root, name):
    return Dataset(root).particles_of(name)[["x_A", "y_A"]].to_numpy() / 4.0


def check_images(folder, root):
    """The micrographs are those of the set, not copies."""
    names = Dataset(root).names
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.mrc" for name in names]
    for name in names:
        assert (folder / f"{name}.mrc").samefile(root / f"micrographs/{name}.mrc")


def test_box_files_are_read_back(blobs, eman):
    picks = read_picks_file(eman / "boxes")
    assert sorted(picks) == Dataset(blobs).names
    for name, points in picks.items():
        np.testing.assert_array_equal(points, np.floor(truth_px(blobs, name) + 0.5))
    assert len(picks["sim_002"]) == 0
    assert min(np.loadtxt(eman / "boxes/sim_000.box")[:, :2].ravel()) < 0  # near the edge
    check_images(eman / "micrographs", blobs)


def test_boxes_hold_the_particles_in_their_middle(blobs, eman):
    """As rows are stored: the darkest pixel of what a box cuts out."""
    seen = 0
    for name in ("sim_000", "sim_001"):
        image = Dataset(blobs).image(name)
        for x, y, width, height in np.loadtxt(eman / f"boxes/{name}.box", dtype=int):
            assert width == height == 32
            if min(x, y) < 0 or max(x, y) > 96:
                continue
            middle = image[y : y + height, x : x + width][8:24, 8:24]  # of this particle alone
            low_y, low_x = np.unravel_index(middle.argmin(), middle.shape)
            assert max(abs(low_y - 8), abs(low_x - 8)) <= 1
            seen += 1
    assert seen >= 5


def test_info_files_are_those_of_eman2(blobs, eman):
    """Centres with a kind of box, as e2boxer.py and e2import.py keep them."""
    for name in Dataset(blobs).names:
        info = json.loads((eman / f"info/{name}_info.json").read_text())
        assert list(info) == ["boxes"]
        points = np.reshape([box[:2] for box in info["boxes"]], (-1, 2))
        np.testing.assert_allclose(points, truth_px(blobs, name), atol=0.0051)
        assert all(box[2:] == ["manual"] for box in info["boxes"])
    readme = (eman / "README.md").read_text()
    assert "--apix 4 --boxsize 32\n" in readme
    assert readme.startswith("# SYNTHETIC cryoccd")


def test_names_that_eman2_cuts(tmp_path):
    def write(*names):
        writer = DatasetWriter(tmp_path / names[-1], {"seed": 1})
        for name in names:
            writer.write(Item(name, exposure(1), 1))
        assert writer.finish(list(names))
        return writer.root

    out = export(write("b", "a__1"), tmp_path / "out", "eman", box_px=32)
    assert sorted(path.name for path in (out / "info").iterdir()) == ["a_info.json", "b_info.json"]
    assert (out / "boxes/a__1.box").is_file()
    with pytest.raises(CryoccdError, match="a__1 and a__2 are one micrograph to EMAN2"):
        export(write("a__1", "a__2"), tmp_path / "no", "eman", box_px=32)
    with pytest.raises(CryoccdError, match="no species map tells the size of a particle; give"):
        export(write("c"), tmp_path / "no", "eman")


@needs_relion
def test_relion_extracts_at_the_boxes(exact, tmp_path):
    out = export(exact, tmp_path / "out", "eman")
    names = Dataset(exact).names
    for name in names:  # RELION looks for DIR/PATH_OF_THE_MICROGRAPH.box
        os.link(out / f"micrographs/{name}.mrc", out / f"{name}.mrc")
    star = export(exact, tmp_path / "relion", stacks=False) / "micrographs.star"
    blocks = starfile.read(star)
    blocks["micrographs"]["rlnMicrographName"] = [f"{name}.mrc" for name in names]
    starfile.write(blocks, out / "micrographs.star")
    run(
        *("relion_preprocess", "--i", "micrographs.star", "--coord_dir", "boxes/"),
        *("--coord_suffix", ".box", "--part_star", "extracted.star", "--part_dir", "extracted/"),
        *("--extract", "--extract_size", "64", "--invert_contrast"),
        folder=out,
    )
    rows = starfile.read(out / "extracted.star")["particles"]
    truth = Dataset(exact).particles
    assert len(rows) == len(truth) == 400
    assert list(rows.rlnMicrographName) == [f"{name}.mrc" for name in truth.micrograph]
    nearest = np.floor(truth[["x_A", "y_A"]].to_numpy() / 3.0 + 0.5)
    np.testing.assert_array_equal(rows[["rlnCoordinateX", "rlnCoordinateY"]], nearest)


def test_cbox_files_are_read_back(blobs, cryolo):
    picks = read_picks_file(cryolo / "train_annot")
    assert sorted(picks) == Dataset(blobs).names
    for name, points in picks.items():
        np.testing.assert_allclose(points, truth_px(blobs, name), atol=0.0051)
    assert len(picks["sim_002"]) == 0
    check_images(cryolo / "train_image", blobs)
    script = (cryolo / "cryolo.sh").read_text()
    assert "cryolo_gui.py config config.json 15 --train_image_folder train_image " in script


def test_cbox_columns_as_cryolo_has_them(blobs, cryolo):
    blocks = starfile.read(cryolo / "train_annot/sim_001.cbox", always_dict=True)
    assert list(blocks) == ["global", "cryolo", "cryolo_include"]
    assert float(blocks["global"]["cbox_format_version"]) == 1.0
    table = blocks["cryolo"]
    assert tuple(table.columns) == CBOX
    corners = table[["CoordinateX", "CoordinateY"]].to_numpy()
    np.testing.assert_allclose(corners, truth_px(blobs, "sim_001") - 15 / 2, atol=0.0051)
    assert (table[["Width", "Height", "EstWidth", "EstHeight"]] == 15).all(axis=None)
    assert (table.Confidence == 1).all()
    # without a meaning in two dimensions
    assert table[["CoordinateZ", "Depth", "NumBoxes", "Angle"]].isna().all(axis=None)


@pytest.mark.skipif(find_spec("pyStarDB") is None, reason="pyStarDB is absent")
def test_the_reader_of_cryolo_takes_them(blobs, cryolo):
    """pyStarDB, by which crYOLO reads a CBOX file; it prints what it stumbles over."""
    code = """
import json, sys
from pyStarDB.sp_pystardb import StarFile

for path in sys.argv[1:]:
    file = StarFile(path)
    table = file["cryolo"]
    rows = table[["_CoordinateX", "_CoordinateY", "_Width", "_Height", "_Confidence"]]
    print(json.dumps([list(file), list(table), rows.values.tolist(), len(file["cryolo_include"])]))
"""
    names = Dataset(blobs).names
    paths = [str(cryolo / f"train_annot/{name}.cbox") for name in names]
    out = run_python(code, *paths, folder=cryolo)
    for name, line in zip(names, out.splitlines(), strict=True):
        blocks, columns, rows, slices = json.loads(line)
        assert blocks == ["global", "cryolo", "cryolo_include"]
        assert columns == [f"_{column}" for column in CBOX]
        expected = np.reshape([[*p - 7.5, 15, 15, 1] for p in truth_px(blobs, name)], (-1, 5))
        np.testing.assert_allclose(np.reshape(rows, (-1, 5)), expected, atol=0.0051)
        assert slices == 0
