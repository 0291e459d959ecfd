"""Faulty folders of tomograms are refused in one line that says what to mend."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from tomogram_folders import SHAPE, VOXEL_A, tomogram_of, write_project

from cryoccd.errors import CryoccdError
from cryoccd.io.export.ome_zarr import write_ome_zarr
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import TomogramOptions, open_tomograms

pytest.importorskip("zarr")

HEAD = "tomogram,label,x_A,y_A,z_A\n"


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    return write_project(tmp_path_factory.mktemp("tomograms") / "project")


@pytest.fixture
def project(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "project"))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    root = tmp_path / "plain"
    write_mrc(root / "tomograms" / "a.mrc", tomogram_of(0), VOXEL_A, "test")
    (root / "picks.csv").write_text(HEAD + "a,bar,100,110,120\n")
    return root


def refusal(root: Path, **options: object) -> str:
    with pytest.raises(CryoccdError) as caught:
        open_tomograms(root, TomogramOptions(**options)).check_voxels()  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def set_voxel_size(path: Path, size_A: object) -> None:
    with mrcfile.open(path, mode="r+") as file:
        file.voxel_size = size_A


def test_nothing_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").endswith("none: no such folder")
    (tmp_path / "empty").mkdir()
    assert "empty: no tomograms, expected" in refusal(tmp_path / "empty")
    (tmp_path / "empty" / "tomograms").mkdir()
    assert "tomograms: no tomograms, expected files .mrc" in refusal(tmp_path / "empty")


def test_no_picks_or_several(plain: Path) -> None:
    (plain / "other.star").write_text("")
    assert "several picks (other.star, picks.csv); choose one with picks" in refusal(plain)
    assert "no such file" in refusal(plain, picks=plain / "none.csv")
    assert "unknown kind of picks" in refusal(plain, picks=plain / "tomograms" / "a.mrc")
    (plain / "other.star").unlink()
    (plain / "picks.csv").unlink()
    assert "no picks lie with the tomograms" in refusal(plain)


@pytest.mark.parametrize("told_A", [0.0, 1.0])
def test_a_tomogram_without_voxel_size(plain: Path, told_A: float) -> None:
    path = plain / "tomograms" / "a.mrc"
    set_voxel_size(path, told_A)
    assert f"a.mrc: voxel size {told_A:g} in the header, so not known; give" in refusal(plain)
    source = open_tomograms(plain, TomogramOptions(voxel_size_A=VOXEL_A))
    assert source.voxel_size_A == VOXEL_A


def test_a_zarr_without_voxel_size(plain: Path) -> None:
    path = plain / "tomograms" / "b.zarr"
    write_ome_zarr(path, tomogram_of(1), VOXEL_A, 1, {})
    attributes = json.loads((path / ".zattrs").read_text())
    del attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    (path / ".zattrs").write_text(json.dumps(attributes))
    assert "b.zarr: voxel size 0 in the header" in refusal(plain)


def test_voxel_sizes_that_contradict(plain: Path) -> None:
    path = plain / "tomograms" / "a.mrc"
    assert "10 A a voxel in the file, but 12 A is given" in refusal(plain, voxel_size_A=12.0)
    set_voxel_size(path, (10.0, 10.0, 12.0))
    assert "voxels of 10 x 10 x 12 A, expected cubes" in refusal(plain)
    set_voxel_size(path, VOXEL_A)
    write_ome_zarr(plain / "tomograms" / "b.zarr", tomogram_of(1), 13.0, 1, {})
    assert "voxels of 13 A in b, but 10 A in a; resample, or choose by names" in refusal(plain)
    assert open_tomograms(plain, TomogramOptions(names=["a"])).names == ["a"]


def test_a_truncated_chunk(project: Path) -> None:
    chunks = project / "ExperimentRuns" / "tomo_1" / "VoxelSpacing10.000" / "wbp.zarr" / "0"
    (chunk,) = (path for path in chunks.rglob("*") if path.is_file() and path.name[0] != ".")
    chunk.write_bytes(chunk.read_bytes()[:1000])
    message = refusal(project)
    assert str(chunks) in message
    assert "a chunk may be truncated, copy the volume again" in message


def test_a_truncated_compressed_chunk(plain: Path) -> None:
    zarr = pytest.importorskip("zarr")
    path = plain / "tomograms" / "a.zarr"
    (plain / "tomograms" / "a.mrc").unlink()
    array = zarr.open(str(path), mode="w", shape=SHAPE, chunks=(8, 44, 52), dtype="f4")
    array[:] = tomogram_of(0)
    chunk = max(path.rglob("*"), key=lambda file: file.stat().st_size * file.is_file())
    chunk.write_bytes(chunk.read_bytes()[:500])
    assert "a chunk may be truncated" in refusal(plain, voxel_size_A=VOXEL_A)


def test_a_truncated_or_broken_mrc(plain: Path) -> None:
    path = plain / "tomograms" / "a.mrc"
    np.memmap(path, np.float32, "r+", 1024)[5000] = np.nan
    assert "hold NaN or infinity" in refusal(plain)
    path.write_bytes(path.read_bytes()[:5000])
    assert "the file has 5000; copy it again" in refusal(plain)


def test_volumes_of_another_kind(plain: Path) -> None:
    write_mrc(plain / "tomograms" / "b.mrc", tomogram_of(0)[0], VOXEL_A, "an image")
    assert "b.mrc: holds float32 of shape (44, 52), expected real values" in refusal(plain)
    (plain / "tomograms" / "b.mrc").unlink()
    write_ome_zarr(plain / "tomograms" / "b.zarr", tomogram_of(1), VOXEL_A, 1, {})
    attributes = (plain / "tomograms" / "b.zarr" / ".zattrs").read_text()
    for before, after, told in (
        ('"z"', '"t"', "axes t, y, x, expected z, y, x"),
        ("angstrom", "furlong", "axes in furlong, expected"),
        ('"path": "0"', '"path": "7"', "not a readable OME-Zarr volume"),
        ("multiscales", "other", "not a readable OME-Zarr volume (KeyError"),
        ("10.0", '"wide"', "not a readable OME-Zarr volume (ValueError"),
    ):
        assert before in attributes
        changed = attributes.replace(before, after)
        (plain / "tomograms" / "b.zarr" / ".zattrs").write_text(changed)
        assert told in refusal(plain)
    shutil.copy(plain / "tomograms" / "a.mrc", plain / "tomograms" / "b.mrc")
    assert "b.mrc is there as well; keep one" in refusal(plain)


def test_zarr_is_not_installed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert refusal(project).endswith("needs zarr; pip install 'cryoccd[export]'")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "a,bar,100,600,120",
            "the centre (10.0, 60.0, 12.0) px of a bar lies outside a of 52",
        ),
        ("a,bar,-6,100,120", "lies outside a"),
        ("b,bar,100,100,120", "particles of b, but there is no such tomogram among a"),
        ("a,bar,100,north,120", "row 1 has no numbers in x_A, y_A, z_A"),
        ("a,bar,100,inf,120", "row 1 has no numbers in x_A, y_A, z_A"),
        ("a,bar,1,2,3,4", "rows have more cells than line 1 has names"),
    ],
)
def test_centres_that_cannot_be(plain: Path, row: str, told: str) -> None:
    (plain / "picks.csv").write_text(HEAD + row + "\n")
    assert told in refusal(plain)


def test_tables_without_columns(plain: Path) -> None:
    (plain / "picks.csv").write_text("label,x,y,z\nbar,1,2,3\n")
    assert "expected one column tomogram or experiment (found label, x, y, z)" in refusal(plain)
    (plain / "picks.csv").write_text("tomogram,label,x,y\na,bar,1,2\n")
    assert "no column z (found tomogram, label, x, y)" in refusal(plain)
    star = plain / "bar.star"
    star.write_text("data_\n\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n1 2 3\n")
    assert "no column rlnTomoName or rlnMicrographName" in refusal(plain, picks=star)


def mend(path: Path, change: Callable[[dict], None]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_underscores_in_a_copick_project(project: Path) -> None:
    picks = project / "ExperimentRuns" / "tomo_0" / "Picks"
    (picks / "cryoccd_0_bar.json").rename(picks / "cryoccd_0_big_bar.json")
    message = refusal(project)
    assert "cryoccd_0_big_bar.json: expected USER_SESSION_OBJECT.json" in message
    mend(
        project / "copick_config.json",
        lambda config: config["pickable_objects"][0].update(name="big_bar"),
    )
    message = refusal(project)
    assert "object 'big_bar', but copick takes names apart at underscores; write 'big-bar'" in (
        message
    )


def test_choices_that_a_copick_project_leaves_open(project: Path) -> None:
    run = project / "ExperimentRuns" / "tomo_0"
    shutil.copy(run / "Picks" / "cryoccd_0_bar.json", run / "Picks" / "me_1_bar.json")
    assert "picks of bar by cryoccd 0, me 1; choose user and session" in refusal(project)
    assert "no tomogram of type raw" in refusal(project, flavour="raw")
    spacing = run / "VoxelSpacing10.000"
    shutil.copytree(spacing / "wbp.zarr", spacing / "raw.zarr")
    message = refusal(project, user="me")
    assert "VoxelSpacing10.000/raw, VoxelSpacing10.000/wbp; choose by flavour" in message
    spacing.rename(run / "VoxelSpacing12.000")
    message = refusal(project, flavour="wbp")
    assert "10 A a voxel in the file, but 12 A is given" in message
    mend(project / "copick_config.json", lambda config: config.update(static_root="s3://bucket"))
    assert "static_root on s3://, expected local files" in refusal(project)


def test_points_that_are_none(project: Path) -> None:
    picks = project / "ExperimentRuns" / "tomo_0" / "Picks" / "cryoccd_0_bar.json"
    text = picks.read_text()
    for before, after, told in (
        ('"location"', '"place"', "not a readable list of points (KeyError"),
        ('"x": ', '"x": NaN, "w": ', "point 1 lies at no number"),
    ):
        picks.write_text(text.replace(before, after))
        assert told in refusal(project)
    mend_matrix = json.loads(text)
    mend_matrix["points"][1]["transformation_"][0] = [2, 0, 0, 0]
    picks.write_text(json.dumps(mend_matrix))
    assert "the matrix of point 2 is no rotation" in refusal(project)


def test_annotations_of_no_tomogram_or_twice(kept: Path, plain: Path, tmp_path: Path) -> None:
    (plain / "picks.csv").unlink()
    message = refusal(plain, picks=kept / "portal")
    assert "no folder above it has the name of a tomogram (a)" in message
    root = tmp_path / "portal"
    shutil.copytree(kept / "portal" / "tomo_0", root / "tomo_0")
    assert "no tomogram (.zarr, .mrc) below the folders of its runs" in refusal(root)
    write_mrc(root / "tomo_0" / "tomo_0.mrc", tomogram_of(0), VOXEL_A, "test")
    shutil.copy(root / "tomo_0" / "bar.ndjson", root / "tomo_0" / "hook-2.ndjson")
    shutil.copy(root / "tomo_0" / "bar.ndjson", root / "tomo_0" / "again.ndjson")
    mend(root / "tomo_0" / "bar.json", lambda m: m["files"].append({"path": "again.ndjson"}))
    assert "bar.ndjson: points of bar, which again.ndjson has as well; keep one" in refusal(root)
