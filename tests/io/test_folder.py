"""Folders of micrographs of every kind: what is read, and what is refused in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
from PIL import Image

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import DatasetWriter, Item
from cryoccd.io.folder import FolderOptics, open_folder
from cryoccd.io.mrc import write_mrc
from cryoccd.records import PARTICLE_COLUMNS, Exposure, Optics

SHAPE = (40, 60)
YAML = """voltage_kV: 300
cs_mm: 2.7
amplitude_contrast: 0.1
pixel_size_A: 1.5
defocus_A: [10000, 20000]
particle_diameter_A: 120
"""
STAR_31 = """data_optics

loop_
_rlnOpticsGroup #1
_rlnVoltage #2
_rlnSphericalAberration #3
_rlnAmplitudeContrast #4
_rlnMicrographPixelSize #5
1 300.0 2.7 0.1 1.5

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
_rlnDefocusU #3
_rlnDefocusV #4
MotionCorr/job002/mic.one.mrc 1 15000 15200
MotionCorr/job002/mic2.mrc 1 21000 21400
MotionCorr/job002/elsewhere.mrc 1 90000 90000
"""
STAR_30 = """data_

loop_
_rlnMicrographName #1
_rlnDefocusU #2
_rlnDefocusV #3
_rlnVoltage #4
_rlnSphericalAberration #5
_rlnAmplitudeContrast #6
_rlnDetectorPixelSize #7
_rlnMagnification #8
mic.one.mrc 15000 15200 200 2.0 0.07 5.0 33333.333
mic2.mrc 21000 21400 200 2.0 0.07 5.0 33333.333
"""


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 10, SHAPE).astype(np.float32)


def plain(root: Path, pixel_size_A: float = 1.5) -> Path:
    for index, name in enumerate(("mic.one", "mic2")):
        write_mrc(root / "micrographs" / f"{name}.mrc", noise(index), pixel_size_A, "test")
    return root


def refused(match: str, root: Path, pixel_size_A: float | None = None) -> None:
    with pytest.raises(CryoccdError, match=match) as caught:
        open_folder(root, pixel_size_A).optics()
    assert "\n" not in str(caught.value)


def test_plain_folder(tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / "optics.yaml").write_text(YAML)
    folder = open_folder(tmp_path)
    assert folder.names() == ["mic.one", "mic2"]
    np.testing.assert_array_equal(folder.image("mic.one"), noise(0))
    assert folder.pixel_size_A == 1.5
    assert folder.optics() == FolderOptics(300, 2.7, 0.1, 1.5, (10000, 20000), 120)
    assert not folder.has_picks
    assert folder.picks_px("mic2") is None
    assert not folder.has_split
    with pytest.raises(CryoccdError, match=r"no split\.csv"):
        folder.names("train")
    with pytest.raises(CryoccdError, match="no micrograph named mic3"):
        folder.image("mic3")


def test_folder_that_itself_holds_images(tmp_path: Path) -> None:
    values = noise().astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "b.png")
    Image.fromarray(values.T.copy()).save(tmp_path / "a.png")
    (tmp_path / ".hidden.tif").write_bytes(b"")
    folder = open_folder(tmp_path, pixel_size_A=2.5)
    assert folder.names() == ["a", "b"]
    np.testing.assert_array_equal(folder.image("b"), values)
    assert folder.pixel_size_A == 2.5
    with pytest.raises(CryoccdError, match=r"no pixel size.*optics\.yaml"):
        _ = open_folder(tmp_path).pixel_size_A


def test_real_folder(real_data: Path) -> None:
    folder = open_folder(real_data / "empiar-10146")
    assert (len(folder.names("train")), len(folder.names("test"))) == (9, 4)
    assert not set(folder.names("train")) & set(folder.names("test"))
    assert folder.pixel_size_A == pytest.approx(1.54)
    assert folder.optics().defocus_A == (26000, 37000)
    name = folder.names("train")[0]
    assert folder.image(name).shape == (1200, 1240)
    picks = folder.picks_px(name)
    assert picks is not None
    table = pd.read_csv(real_data / "empiar-10146" / "picks" / f"{name}.csv")
    np.testing.assert_array_equal(picks, table[["x_px", "y_px"]].to_numpy())


# ---- pixel size


def test_pixel_sizes_agree_within_a_percent(tmp_path: Path) -> None:
    plain(tmp_path, pixel_size_A=1.51)
    (tmp_path / "optics.yaml").write_text(YAML)
    assert open_folder(tmp_path).pixel_size_A == 1.5
    with pytest.raises(CryoccdError, match=r"pixel size 1\.5 A, but 1\.6 A by .*argument"):
        open_folder(tmp_path, 1.6)
    (tmp_path / "optics.yaml").unlink()
    with pytest.raises(CryoccdError, match=r"pixel size 1\.51 A, but 1\.6 A by .*argument"):
        _ = open_folder(tmp_path, 1.6).pixel_size_A


def test_one_header_that_disagrees(tmp_path: Path) -> None:
    plain(tmp_path)
    write_mrc(tmp_path / "micrographs" / "odd.mrc", noise(), 3.0, "test")
    folder = open_folder(tmp_path)
    folder.image("mic2")
    with pytest.raises(CryoccdError, match=r"odd\.mrc: pixel size 3 A, but 1\.5 A"):
        folder.image("odd")


@pytest.mark.parametrize("pixel_size_A", [0.0, -1.0, float("nan")])
def test_impossible_pixel_size(tmp_path: Path, pixel_size_A: float) -> None:
    refused("expected angstrom above 0", plain(tmp_path), pixel_size_A)


# ---- optics


def test_missing_optics_are_listed_in_one_line(tmp_path: Path) -> None:
    plain(tmp_path)
    names = "voltage_kV, cs_mm, amplitude_contrast, defocus_A, particle_diameter_A"
    refused(f"optics lack {names}; write them into optics.yaml", tmp_path)
    (tmp_path / "optics.yaml").write_text(YAML.replace("cs_mm: 2.7\n", ""))
    refused("optics lack cs_mm;", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("voltage_kV", "voltage_kv", r"unknown key voltage_kv \(is it voltage_kV\?\)"),
        ("voltage_kV: 300", "voltage_kV: high", "voltage_kV = 'high', expected a number"),
        ("voltage_kV: 300", "voltage_kV: true", "expected a number"),
        ("voltage_kV: 300", "voltage_kV: 300000", "voltage_kV = 300000, expected 20 to 3000"),
        ("cs_mm: 2.7", "cs_mm: .nan", "cs_mm = nan, expected a number"),
        ("[10000, 20000]", "15000", r"expected \[low, high\]"),
        ("[10000, 20000]", "[20000, 10000]", r"expected \[low, high\]"),
        ("pixel_size_A: 1.5", "pixel_size_A: 0", "pixel size 0, expected angstrom above 0"),
        ("cs_mm: 2.7", "cs_mm: [", "not readable as YAML"),
        (YAML, "just words", "expected lines KEY: VALUE"),
    ],
)
def test_faulty_yaml(tmp_path: Path, old: str, new: str, match: str) -> None:
    plain(tmp_path)
    (tmp_path / "optics.yaml").write_text(YAML.replace(old, new))
    refused(match, tmp_path)


@pytest.mark.parametrize(("star", "voltage_kV"), [(STAR_31, 300), (STAR_30, 200)])
def test_star(tmp_path: Path, star: str, voltage_kV: float) -> None:
    plain(tmp_path)
    (tmp_path / "micrographs.star").write_text(star)
    refused("optics lack particle_diameter_A;", tmp_path)
    (tmp_path / "optics.yaml").write_text("particle_diameter_A: 90\n")
    optics = open_folder(tmp_path).optics()
    assert optics.voltage_kV == voltage_kV
    assert optics.defocus_A == (15100, 21200)  # the row of another micrograph does not count
    assert optics.pixel_size_A == pytest.approx(1.5)
    assert optics.particle_diameter_A == 90


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("_rlnDefocusV", "_rlnDefocusW", r"no column rlnDefocusV \(is it rlnDefocusW\?\)"),
        ("_rlnVoltage", "_rlnVolts", "no column rlnVoltage"),
        ("_rlnDefocusU", "_defocusU", "unknown column defocusU"),
        ("_rlnMicrographName", "_rlnMovieName", "no column rlnMicrographName"),
        ("15200", "unknown", "rlnDefocusV holds a value that is no number"),
        ("mic2", "mic3", "no row for mic2"),
        ("job002/mic2.mrc 1", "job002/mic2.mrc 2", "data_optics must name each"),
        ("2.7 0.1 1.5", "2.7 0.1 3.0", "pixel size 1.5 A, but 3 A"),
        ("2.7 0.1 1.5", "2.7 0.1 0.0", "pixel size 0, expected angstrom above 0"),
        (STAR_31, "no star at all", "STAR|no table"),
        (STAR_31, "", "STAR|no table"),
    ],
)
def test_faulty_star(tmp_path: Path, old: str, new: str, match: str) -> None:
    plain(tmp_path)
    (tmp_path / "micrographs.star").write_text(STAR_31.replace(old, new))
    with pytest.raises(CryoccdError, match=match) as caught:
        _ = open_folder(tmp_path).pixel_size_A
    assert "\n" not in str(caught.value)


# ---- splits and picks


def test_split_by_micrograph(tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / "split.csv").write_text("micrograph,split\nmic2.mrc,test\nmic.one,train\n")
    folder = open_folder(tmp_path)
    assert folder.names("train") == ["mic.one"]
    assert folder.names("test") == ["mic2"]
    assert folder.names() == ["mic.one", "mic2"]
    with pytest.raises(CryoccdError, match="expected train or test"):
        folder.names("validation")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("name,split\nmic2,test\n", "no column micrograph"),
        ("micrograph,split\nmic.one,train\n", "no row for mic2"),
        ("micrograph,split\nmic.one,train\nmic2,val\n", "'val' of mic2, expected train or test"),
        ("micrograph,split\nmic.one,train\nmic2,test\nmic2,train\n", "mic2 stands in two rows"),
        ("micrograph,split\nmic.one,train\nmic9,test\n", "no such micrograph"),
        ("", "not a readable CSV"),
    ],
)
def test_faulty_split(tmp_path: Path, content: str, match: str) -> None:
    plain(tmp_path)
    (tmp_path / "split.csv").write_text(content)
    refused(match, tmp_path)


def test_split_without_training_micrographs(tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / "split.csv").write_text("micrograph,split\nmic2,test\nmic.one,test\n")
    with pytest.raises(CryoccdError, match="no micrograph of the split train"):
        open_folder(tmp_path).names("train")


def test_picks_and_none(tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / "picks").mkdir()
    (tmp_path / "picks" / "mic.one.csv").write_text("id,x_px,y_px\n1,59.4,0\n2,-0.5,39.5\n")
    (tmp_path / "picks" / "mic2.csv").write_text("x_px,y_px\n")
    folder = open_folder(tmp_path)
    assert folder.has_picks
    np.testing.assert_array_equal(folder.picks_px("mic.one"), [[59.4, 0], [-0.5, 39.5]])
    empty = folder.picks_px("mic2")
    assert empty is not None
    assert empty.shape == (0, 2)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("x,y\n1,2\n", "no column x_px"),
        ("x_px,y_px\n1,2\n3,here\n", "row 2 holds no pair of numbers"),
        ("x_px,y_px\n1,\n", "row 1 holds no pair of numbers"),
        ("x_px,y_px\n1,2\n60.5,2\n", r"row 2 at \(60.5, 2\) lies outside the 60 x 40 px field"),
        ("x_px,y_px\n1,2,3\n", "more cells"),
        ("", "not a readable CSV"),
    ],
)
def test_faulty_picks(tmp_path: Path, content: str, match: str) -> None:
    plain(tmp_path)
    (tmp_path / "picks").mkdir()
    (tmp_path / "picks" / "mic2.csv").write_text(content)
    with pytest.raises(CryoccdError, match=match) as caught:
        open_folder(tmp_path).picks_px("mic2")
    assert "\n" not in str(caught.value)


def test_picks_of_one_micrograph_are_missing(tmp_path: Path) -> None:
    plain(tmp_path)
    (tmp_path / "picks").mkdir()
    (tmp_path / "picks" / "mic2.csv").write_text("x_px,y_px\n1,2\n")
    with pytest.raises(CryoccdError, match=r"mic\.one\.csv: no such file; write the header"):
        open_folder(tmp_path).picks_px("mic.one")


# ---- the folder itself


def test_folders_that_are_none(tmp_path: Path) -> None:
    refused("no such folder", tmp_path / "absent")
    refused("holds no image", tmp_path)


def test_mixed_kinds_and_double_names(tmp_path: Path) -> None:
    plain(tmp_path)
    tifffile.imwrite(tmp_path / "micrographs" / "c.tif", noise())
    refused("mixes .mrc and .tif", tmp_path)
    (tmp_path / "micrographs" / "c.tif").unlink()
    write_mrc(tmp_path / "micrographs" / "mic2.MRC", noise(), 1.5, "test")
    refused("two images named mic2", tmp_path)


def dataset(root: Path, n_particles: int = 2, finish: bool = True) -> Path:
    rows = pd.DataFrame({c: np.zeros(n_particles) for c in PARTICLE_COLUMNS}).assign(
        instance_id=np.arange(1, n_particles + 1),
        species="s",
        conformation=0,
        x_A=[-3.0, 30.0][:n_particles],
        y_A=20.0,
        on_edge=False,
    )
    instances = torch.zeros(SHAPE, dtype=torch.int32)
    instances[10:20, 10:20] = 1
    instances[20:30, 30:40] = 2
    optics = Optics(200, 2.0, 0.07, 2.0, 15000, 17000)
    writer = DatasetWriter(root, {"seed": 0})
    ice = torch.full((5, 8), 300.0)
    for name in ("b", "a"):
        clean = torch.from_numpy(noise())
        writer.write(Item(name, Exposure(clean, instances, ice, rows, optics), seed=0))
    if finish:
        writer.finish(["b", "a"])
    return root


def test_dataset_folder(tmp_path: Path) -> None:
    folder = open_folder(dataset(tmp_path))
    assert folder.names() == ["a", "b"]
    picks = folder.picks_px("a")
    np.testing.assert_allclose(picks, [[15.0, 10.0]])  # the centre at -3 A lies outside
    optics = folder.optics()
    assert (optics.voltage_kV, optics.defocus_A) == (200, (16000, 16000))
    # labels of 100 pixels of 2 A
    assert optics.particle_diameter_A == pytest.approx(2 * 2 * np.sqrt(100 / np.pi))


def test_dataset_folder_with_optics_of_its_own(tmp_path: Path) -> None:
    (dataset(tmp_path) / "optics.yaml").write_text(YAML.replace("1.5", "2.0"))
    assert open_folder(tmp_path).optics() == FolderOptics(300, 2.7, 0.1, 2.0, (10000, 20000), 120)


def test_dataset_folder_without_a_particle(tmp_path: Path) -> None:
    folder = open_folder(dataset(tmp_path, n_particles=0))
    assert folder.picks_px("a") is None
    with pytest.raises(CryoccdError, match="optics lack particle_diameter_A;"):
        folder.optics()


def test_unfinished_dataset_folder_is_refused(tmp_path: Path) -> None:
    refused("unfinished dataset folder.*--resume", dataset(tmp_path, finish=False))
