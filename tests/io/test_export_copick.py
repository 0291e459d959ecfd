"""Export of tomograms to copick, read back by copick's own reader, and to the portal's form."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import affine_transform, map_coordinates
from test_dataset import write_set

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.dataset import DatasetWriter, TiltItem, TomogramSet
from cryoccd.io.export.copick import CopickOptions, write_copick
from cryoccd.io.export.copick_objects import radius_A
from cryoccd.io.export.ome_zarr import write_ome_zarr
from cryoccd.records import Volume

VOXEL_A = 6.7
SHAPE = (40, 61, 150)  # odd sides, and more than one chunk
BOX = 24
ARMS_PX = np.array([[7.0, 0, 0], [0, 5, 0], [0, 0, 3], [4, 4, -4]])  # x, y, z: no symmetry
PLACES_PX = np.array([[30.0, 25.0, 18.0], [90.25, 30.5, 21.75]])
EULERS_DEG = np.array([[20.0, 50.0, 75.0], [130.0, 100.0, -40.0]])


def lobes() -> np.ndarray:
    """(z, y, x) map with blobs at the arms from voxel n // 2, the longer the weaker."""
    z, y, x = np.indices((BOX,) * 3) - BOX // 2
    spots = [
        weight * np.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2 * 1.5**2))
        for weight, (a, b, c) in zip((1.0, 1.5, 2.0, 2.5), ARMS_PX, strict=True)
    ]
    return np.sum(spots, axis=0).astype(np.float32)


def tomogram_of(places_px: np.ndarray, eulers_deg: np.ndarray) -> np.ndarray:
    """Weak noise with the map, turned by A, at each place: V(r) = map(A^T (r - place))."""
    volume = np.random.default_rng(1).normal(0, 0.003, SHAPE).astype(np.float32)
    flip = np.eye(3)[::-1]  # between x, y, z and the axes of arrays
    for place, euler in zip(places_px, eulers_deg, strict=True):
        inverse = flip @ euler_to_matrix(torch.from_numpy(euler)).numpy().T @ flip
        offset = np.full(3, BOX // 2) - inverse @ place[::-1]
        volume += affine_transform(lobes(), inverse, offset, output_shape=SHAPE, order=3)
    return volume


def item(name: str, rows: pd.DataFrame, volume: np.ndarray) -> TiltItem:
    return TiltItem(
        name=name,
        seed=5,
        images=np.zeros((2, 16, 16), np.float32),
        pixel_size_A=VOXEL_A / 2,
        tomogram=volume,
        voxel_size_A=VOXEL_A,
        tilts=pd.DataFrame({"tilt": [0, 1], "angle_deg": [-40.0, 40.0]}),
        particles=rows,
        settings={"voltage_kV": 300.0},
    )


def rows_of(species: list[str], places_px: np.ndarray, eulers_deg: np.ndarray) -> pd.DataFrame:
    places_A = (places_px - [0, 0, SHAPE[0] // 2]) * VOXEL_A  # z_A from the middle of the ice
    columns = dict(zip(("x_A", "y_A", "z_A"), places_A.T, strict=True))
    angles = dict(zip(("rot_deg", "tilt_deg", "psi_deg"), eulers_deg.T, strict=True))
    numbers = np.arange(1, len(species) + 1)
    first = {"instance_id": numbers, "species": species, "conformation": 0}
    return pd.DataFrame({**first, **columns, **angles})


def write_tilts(root: Path) -> TomogramSet:
    """Two tomograms: one with two species and a particle above its top, one without any."""
    places = np.vstack([PLACES_PX, [[50, 50, 5]], [[50, 20, 45]]])
    eulers = np.vstack([EULERS_DEG, [[0, 0, 90]], [[0, 0, 0]]])
    rows = rows_of(["a_lobe", "a_lobe", "a-lobe", "a-lobe"], places, eulers)
    writer = DatasetWriter(root, {"verb": "simulate", "seed": 3})
    writer.write_species("a_lobe", Volume(torch.from_numpy(lobes()), VOXEL_A))
    writer.write(item("tomo_0", rows, tomogram_of(PLACES_PX, EULERS_DEG)))
    writer.write(item("tomo_1", rows.iloc[:0], np.zeros(SHAPE, np.float32)))
    writer.finish(["tomo_0", "tomo_1"])
    return TomogramSet(root)


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("copick")
    done: list[None] = []
    tomograms = write_tilts(root / "set")
    write_copick(tomograms, root / "out", CopickOptions(), lambda: done.append(None))
    assert len(done) == 2
    # a folder that was moved opens as well
    shutil.move(root / "out", root / "moved")
    return root / "moved"


@pytest.fixture
def project(exported: Path, monkeypatch: pytest.MonkeyPatch):
    copick = pytest.importorskip("copick")
    monkeypatch.chdir(exported)  # the project's root is the current folder
    return copick.from_file("copick_config.json")


def test_the_set_is_read_and_a_set_of_micrographs_refused(tmp_path: Path) -> None:
    tomograms = write_tilts(tmp_path / "set")
    assert tomograms.names == ["tomo_0", "tomo_1"]
    assert tomograms.voxel_size_A == VOXEL_A
    assert tomograms.particles_of("tomo_0")["instance_id"].tolist() == [1, 2, 3, 4]
    assert len(tomograms.particles_of("tomo_1")) == 0
    assert np.array_equal(tomograms.volume("tomo_0"), tomogram_of(PLACES_PX, EULERS_DEG))
    (tmp_path / "set" / "tomograms" / "tomo_1.mrc").unlink()
    with pytest.raises(CryoccdError, match=r"tomo_1\.mrc: no such file, but manifest"):
        TomogramSet(tmp_path / "set")
    write_set(tmp_path / "micrographs", ["a"]).finish(["a"])
    with pytest.raises(CryoccdError, match="holds micrographs, expected tilt series"):
        TomogramSet(tmp_path / "micrographs")


def test_a_tomogram_may_not_be_named_out_of_the_folder(tmp_path: Path) -> None:
    root = write_tilts(tmp_path / "set").root
    table = pd.read_parquet(root / "tomograms.parquet")
    table.loc[0, "tomogram"] = "../tomo_0"
    table.to_parquet(root / "tomograms.parquet")
    manifest = json.loads((root / "manifest.json").read_text())
    size = (root / "tomograms.parquet").stat().st_size
    manifest["files"]["tomograms.parquet"]["bytes"] = size
    (root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CryoccdError, match=r"tomogram '\.\./tomo_0' is no file"):
        TomogramSet(root)


def test_copick_reads_objects_and_runs(project) -> None:
    assert [run.name for run in project.runs] == ["tomo_0", "tomo_1"]
    assert "SYNTHETIC" in project.config.description
    plain, lobed = project.pickable_objects
    assert (plain.name, lobed.name) == ("a-lobe", "a-lobe-2")  # copick allows no underscore
    assert (plain.metadata["species"], lobed.metadata["species"]) == ("a-lobe", "a_lobe")
    assert (plain.label, lobed.label) == (1, 2)
    assert plain.color != lobed.color
    assert plain.radius is None
    assert lobed.radius == pytest.approx(9 * VOXEL_A, abs=VOXEL_A)
    assert np.array_equal(lobed.numpy(), lobes())
    for run in project.runs:
        assert len(run.picks) == 2
        assert all(picks.trust_orientation and picks.from_tool for picks in run.picks)
        assert all(picks.read_only for picks in run.picks)
    assert all(len(picks.points) == 0 for picks in project.get_run("tomo_1").picks)


def test_copick_reads_places_and_turns(project) -> None:
    run = project.get_run("tomo_0")
    (picks,) = run.get_picks(object_name="a-lobe-2", user_id="cryoccd", session_id="0")
    places_A, turns = picks.numpy()
    assert places_A == pytest.approx(PLACES_PX * VOXEL_A)
    assert turns[:, :3, :3] == pytest.approx(euler_to_matrix(torch.from_numpy(EULERS_DEG)).numpy())
    assert np.array_equal(turns[:, :, 3], [[0, 0, 0, 1]] * 2)
    assert picks.instance_ids().tolist() == [1, 2]
    assert picks.scores().tolist() == [1, 1]
    (other,) = run.get_picks(object_name="a-lobe")
    assert other.instance_ids().tolist() == [3]  # the fourth lies above the tomogram


def test_copick_reads_the_volume(project) -> None:
    zarr = pytest.importorskip("zarr")
    run = project.get_run("tomo_0")
    (spacing,) = run.voxel_spacings
    assert spacing.voxel_size == VOXEL_A
    (tomogram,) = spacing.get_tomograms("wbp")
    whole = tomogram_of(PLACES_PX, EULERS_DEG)
    assert np.array_equal(tomogram.numpy(), whole)
    group = zarr.open(tomogram.zarr())
    assert group.attrs["synthetic"] is True
    levels = group.attrs["multiscales"][0]["datasets"]
    shapes = [group[level["path"]].shape for level in levels]
    assert shapes == [(40, 61, 150), (20, 31, 75), (10, 16, 38)]
    for power, level in enumerate(levels):
        scale, *shift = level["coordinateTransformations"]
        assert scale["scale"] == [VOXEL_A * 2**power] * 3
        if power:
            assert shift[0]["translation"] == [VOXEL_A * (2**power - 1) / 2] * 3
    half = group["1"][:]
    assert half[:, :30] == pytest.approx(
        whole[:, :60].reshape(20, 2, 30, 2, 75, 2).mean((1, 3, 5)), abs=1e-6
    )
    rim = whole[:, 60].reshape(20, 2, 75, 2).mean((1, 3))  # the last row has no neighbour
    assert half[:, 30] == pytest.approx(rim, abs=1e-6)


def test_points_of_the_map_lie_where_the_picks_say(project) -> None:
    """The density of the tomogram at location + R c is that of the map at c."""
    run = project.get_run("tomo_0")
    (picks,) = run.get_picks(object_name="a-lobe-2")
    tomogram = run.voxel_spacings[0].get_tomograms("wbp")[0].numpy()
    reference = project.get_object("a-lobe-2").numpy()
    in_map = ARMS_PX + BOX // 2
    expected = map_coordinates(reference, in_map[:, ::-1].T, order=3)
    assert (expected > 0.9).all()

    def seen(matrix: np.ndarray, place_A: np.ndarray) -> np.ndarray:
        at_px = (place_A + ARMS_PX * VOXEL_A @ matrix[:3, :3].T) / VOXEL_A
        return map_coordinates(tomogram, at_px[:, ::-1].T, order=3)

    for place_A, matrix in zip(*picks.numpy(), strict=True):
        assert seen(matrix, place_A) == pytest.approx(expected, rel=0.03)
        assert (seen(matrix.T, place_A) < 0.5 * expected).sum() >= 3
        mirrored = matrix.copy()
        mirrored[2] *= -1
        assert (seen(mirrored, place_A) < 0.5 * expected).sum() >= 3


def test_the_portal_has_voxels_and_the_same_rotations(exported: Path) -> None:
    folder = exported / "portal" / "tomo_0"
    lines = (folder / "a-lobe-2.ndjson").read_text().splitlines()
    points = [json.loads(line) for line in lines]
    assert [point["type"] for point in points] == ["orientedPoint"] * 2
    places = [[point["location"][axis] for axis in "xyz"] for point in points]
    assert np.array(places) == pytest.approx(PLACES_PX)
    matrices = np.array([point["xyz_rotation_matrix"] for point in points])
    assert matrices == pytest.approx(euler_to_matrix(torch.from_numpy(EULERS_DEG)).numpy())
    metadata = json.loads((folder / "a-lobe-2.json").read_text())
    assert metadata["object_count"] == 2
    assert metadata["method_type"] == "simulated"
    assert "SYNTHETIC" in metadata["annotation_method"]
    assert metadata["annotation_object"]["name"] == "a_lobe"
    assert not (exported / "portal" / "tomo_1").exists()


def test_copick_reads_the_portal_form(exported: Path) -> None:
    """By the parser that copick has for the portal's files."""
    parse = pytest.importorskip("copick.impl.mlcroissant")._parse_ndjson_picks
    text = (exported / "portal" / "tomo_0" / "a-lobe-2.ndjson").read_text()
    names = {"pickable_object_name": "a", "user_id": "u", "session_id": "0", "run_name": "r"}
    points = parse(text, VOXEL_A, **names).points
    expected = EULERS_DEG[1]
    assert points[1].location.x == pytest.approx(PLACES_PX[1, 0] * VOXEL_A)
    assert points[1].transformation[:3, :3] == pytest.approx(
        euler_to_matrix(torch.from_numpy(expected)).numpy()
    )


def test_what_a_user_adds_stays_apart_from_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copick = pytest.importorskip("copick")
    out = tmp_path / "out"
    write_copick(write_tilts(tmp_path / "set"), out, CopickOptions(), lambda: None)
    before = {path for path in out.rglob("*") if path.is_file()}
    monkeypatch.chdir(out)
    run = copick.from_file("copick_config.json").get_run("tomo_1")
    run.new_picks("a-lobe", "1", "me").from_numpy(np.ones((1, 3)))
    tomogram = run.voxel_spacings[0].new_tomogram("denoised")
    tomogram.from_numpy(np.ones((4, 4, 4), np.float32))
    added = {path.relative_to(out) for path in out.rglob("*") if path.is_file()}
    added -= {path.relative_to(out) for path in before}
    assert {path.parts[0] for path in added} == {"overlay"}
    again = copick.from_file("copick_config.json").get_run("tomo_1")
    assert len(again.picks) == 3
    kinds = {tomogram.tomo_type for tomogram in again.voxel_spacings[0].tomograms}
    assert kinds == {"wbp", "denoised"}


def test_a_given_root_opens_from_anywhere(tmp_path: Path) -> None:
    copick = pytest.importorskip("copick")
    out = tmp_path / "out"
    options = CopickOptions(project_root=str(out))
    write_copick(write_tilts(tmp_path / "set"), out, options, lambda: None)
    project = copick.from_file(str(out / "copick_config.json"))
    assert len(project.get_run("tomo_0").picks) == 2


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    rows = rows_of(["a"], PLACES_PX[:1], EULERS_DEG[:1]).assign(rot_deg=np.nan)
    writer = DatasetWriter(tmp_path / "set", {})
    writer.write(item("tomo_0", rows, np.zeros(SHAPE, np.float32)))
    writer.finish(["tomo_0"])
    out = tmp_path / "out"
    with pytest.raises(CryoccdError, match="tomo_0 has a position or angle"):
        write_copick(TomogramSet(tmp_path / "set"), out, CopickOptions(), lambda: None)
    assert not (out / "copick_config.json").exists()


def test_radius_holds_the_mass() -> None:
    squared = ((np.indices((32, 32, 32)) - 16) ** 2).sum(0)
    ball = (squared <= 100).astype(np.float32)
    assert radius_A(ball, 2.0) == pytest.approx(20, abs=0.2)
    assert radius_A(np.zeros((8, 8, 8), np.float32), 2.0) == 0


def test_a_pyramid_goes_down_to_one_voxel(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    write_ome_zarr(tmp_path / "v.zarr", np.full((1, 2, 3), 4, np.float32), 1.0, 3, {})
    group = zarr.open(str(tmp_path / "v.zarr"), mode="r")
    assert group["2"].shape == (1, 1, 1)
    assert float(group["2"][0, 0, 0]) == 4
