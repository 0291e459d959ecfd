"""The imported folder: its images and tables, how others read it, and how it is resumed."""

import json

import mrcfile
import numpy as np
import pytest
import tifffile
import yaml
from import_inputs import PIXEL_A, TRUTH, H, W, check, do_import, write_micrographs

from cryoccd.cli.import_picks import run
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import open_folder
from cryoccd.io.imports import run as run_module
from cryoccd.io.imports.item import RealItem
from cryoccd.records import PARTICLE_COLUMNS, Optics


@pytest.fixture
def picks(tmp_path):
    (tmp_path / "picks").mkdir()
    for name, points in TRUTH.items():
        lines = "".join(f"{x},{y}\n" for x, y in points)
        (tmp_path / "picks" / f"{name}.csv").write_text("x_px,y_px\n" + lines)
    return tmp_path / "picks"


def checksums(root):
    files = json.loads((root / "manifest.json").read_text())["files"]
    return {path: entry["sha256"] for path, entry in files.items()}


def test_float_images_are_linked_and_the_tables_are_whole(tmp_path, picks):
    real = write_micrographs(tmp_path / "real")
    dataset = do_import(tmp_path, picks)
    check(dataset)
    assert not dataset.synthetic
    for name in TRUTH:
        file = f"micrographs/{name}.mrc"
        assert (dataset.root / file).samefile(real / file)
        assert file in dataset.manifest["files"]
    assert set(Optics.__dataclass_fields__) <= set(dataset.micrographs.columns)
    assert set(dataset.micrographs["style"]) == {"real"}
    assert set(dataset.micrographs["seed"]) == {0}
    assert dataset.micrographs["dose_e_per_A2"].isna().all()
    assert set(PARTICLE_COLUMNS) <= set(dataset.particles.columns)
    unknown = ["z_A", "rot_deg", "defocus_u_A", "visible_fraction", "overlap_fraction"]
    assert dataset.particles[unknown].isna().all(axis=None)
    assert set(dataset.particles["species"]) == {"particle"}
    assert not dataset.particles["on_edge"].any()
    assert len(dataset.artefacts) == 0
    walked = {name: len(rows) for name, rows in dataset.walk()}
    assert walked == {name: len(points) for name, points in TRUTH.items()}


@pytest.mark.parametrize("kind", ["uint16", "other size", "volume", "tiff"])
def test_other_images_are_converted(tmp_path, picks, kind):
    real = tmp_path / "real"
    options = ("--pixel_size_A", "2") if kind in ("other size", "tiff") else ()
    dtype = np.uint16 if kind == "uint16" else np.float32
    header_A = PIXEL_A * 1.005 if kind == "other size" else PIXEL_A
    write_micrographs(real, pixel_size_A=header_A, dtype=dtype)
    sources = sorted((real / "micrographs").glob("*.mrc"))
    for path in sources:
        if kind == "volume":
            with mrcfile.open(path, "r+") as file:
                file.header.ispg = 1
        if kind == "tiff":
            tifffile.imwrite(path.with_name(f"{path.stem}.tif"), mrcfile.read(path))
    values = {path.stem: mrcfile.read(path).reshape(H, W) for path in sources}
    for path in sources if kind == "tiff" else []:
        path.unlink()
    dataset = do_import(tmp_path, picks, *options)
    check(dataset)
    for name in TRUTH:
        with mrcfile.open(dataset.root / f"micrographs/{name}.mrc") as file:
            assert file.data.dtype == np.float32
            assert file.voxel_size.x == PIXEL_A
            [label] = file.get_labels()
            np.testing.assert_array_equal(file.data, values[name])
        assert label.startswith("cryoccd ")
        assert label.endswith(f" import of {name}")


def test_a_simulated_image_stays_marked(tmp_path, toy_folders):
    folder = tmp_path / "real/micrographs"
    folder.mkdir(parents=True)
    for path in sorted((toy_folders[0] / "micrographs").glob("*.mrc"))[:2]:
        (folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / "sim_000.csv").write_text("x_px,y_px\n1,2\n")
    assert do_import(tmp_path, tmp_path / "sim_000.csv").synthetic


def test_a_folder_of_images_directly(tmp_path, picks):
    write_micrographs(tmp_path / "real")
    images = tmp_path / "real/micrographs"
    argv = ["--micrographs", images, "--picks", picks, "--output", tmp_path / "imported"]
    run([str(word) for word in argv])
    check(Dataset(tmp_path / "imported"))


def test_other_readers_read_it_as_a_folder(tmp_path, picks):
    real = write_micrographs(tmp_path / "real")
    dataset = do_import(tmp_path, picks)
    folder = open_folder(dataset.root)
    for name, points in TRUTH.items():
        np.testing.assert_allclose(folder.picks_px(name), np.reshape(points, (-1, 2)))
    with pytest.raises(CryoccdError, match=r"optics lack voltage_kV, .*, particle_diameter_A"):
        folder.optics()
    with pytest.raises(CryoccdError, match=r"b has no voltage_kV, .*, defocus_v_A, astigmatism"):
        dataset.optics("b")
    optics = {"voltage_kV": 300, "cs_mm": 2.7, "amplitude_contrast": 0.1}
    optics |= {"defocus_A": [9000, 20000], "particle_diameter_A": 40}
    (real / "optics.yaml").write_text(yaml.safe_dump(optics))
    (real / "split.csv").write_text(
        "micrograph,split\nb.mrc,test\n" + "FoilHole_1.a,train\nempty,train\n"
    )
    folder = open_folder(do_import(tmp_path, picks, output="whole").root)
    assert folder.optics().defocus_A == (9000, 20000)
    assert folder.names("test") == ["b"]
    assert set(Dataset(folder.root).micrographs["voltage_kV"]) == {300.0}
    # the user may still complete the optics of a finished set
    (folder.root / "optics.yaml").write_text(yaml.safe_dump({**optics, "cs_mm": 2.0}))
    assert open_folder(folder.root).optics().cs_mm == 2.0


def test_the_star_of_the_picks_tells_a_pixel_size_that_headers_lack(tmp_path):
    real = tmp_path / "real"
    (real / "micrographs").mkdir(parents=True)
    values = np.random.default_rng(0).normal(size=(H, W)).astype(np.float32)
    tifffile.imwrite(real / "micrographs/b.tif", values)
    columns = ("rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY", "rlnMicrographPixelSize")
    head = "data_\nloop_\n" + "".join(f"_{column}\n" for column in columns)
    (tmp_path / "p.star").write_text(head + "b.tiff 5 6 1.5\n")
    dataset = do_import(tmp_path, tmp_path / "p.star")
    assert dataset.pixel_size_A == 1.5
    assert list(dataset.particles["x_A"]) == [7.5]
    (tmp_path / "b.csv").write_text("x_px,y_px\n5,6\n")
    with pytest.raises(CryoccdError, match="no pixel size in the headers"):
        do_import(tmp_path, tmp_path / "b.csv", output="other")


def test_interrupted_and_resumed_repeats_nothing(tmp_path, picks, monkeypatch):
    write_micrographs(tmp_path / "real", dtype=np.uint16)
    whole = do_import(tmp_path, picks, output="whole")
    written = []

    class Stopped(RealItem):
        def write_files(self, root):
            if len(written) == 2:
                raise KeyboardInterrupt
            written.append(self.name)
            return super().write_files(root)

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "RealItem", Stopped)
        with pytest.raises(KeyboardInterrupt):
            do_import(tmp_path, picks)
        with pytest.raises(CryoccdError, match="no manifest"):
            Dataset(tmp_path / "imported")
        with pytest.raises(CryoccdError, match="add --resume"):
            do_import(tmp_path, picks)
        first, written[:] = list(written), []
        dataset = do_import(tmp_path, picks, "--resume")
    assert first + written == sorted(TRUTH)
    assert checksums(dataset.root) == checksums(whole.root)
    before = (dataset.root / "manifest.json").stat().st_mtime_ns
    do_import(tmp_path, picks, "--resume")  # a finished set is left as it is
    assert (dataset.root / "manifest.json").stat().st_mtime_ns == before
    (picks / "b.csv").write_text("x_px,y_px\n1,1\n")
    with pytest.raises(CryoccdError, match="made with another configuration"):
        do_import(tmp_path, picks, "--resume")


def test_real_micrographs_with_human_picks(tmp_path, real_data):
    source = real_data / "empiar-10146"
    argv = ["--micrographs", source, "--picks", source / "picks", "--output", tmp_path / "set"]
    run([str(word) for word in [*argv, "--threshold", "0"]])
    folder, known = open_folder(tmp_path / "set"), open_folder(source)
    assert folder.names("test") == known.names("test")
    assert folder.optics() == known.optics()
    name = folder.names("test")[0]
    np.testing.assert_allclose(folder.picks_px(name), known.picks_px(name), atol=1e-6)
    np.testing.assert_array_equal(folder.image(name), known.image(name))
    assert len(Dataset(tmp_path / "set").particles) > 1500
