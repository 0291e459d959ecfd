"""The four kinds of folders of tomograms give the same centres, poses and voxels."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tomogram_folders import (
    CLASSES,
    SHAPE,
    VOXEL_A,
    tomogram_of,
    truth_of,
    write_dataset,
    write_project,
)

from cryoccd.geometry import euler_to_matrix
from cryoccd.io.export.ome_zarr import write_ome_zarr
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import (
    ANGLES,
    PARTICLE_TABLE,
    POSITION,
    TomogramOptions,
    TomogramSource,
    open_tomograms,
)

pytest.importorskip("zarr")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("tomograms") / "set").root


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return write_project(tmp_path_factory.mktemp("tomograms") / "project")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """One volume as MRC and one as OME-Zarr, no picks."""
    root = tmp_path / "plain"
    write_mrc(root / "tomograms" / "tomo_0.mrc", tomogram_of(0), VOXEL_A, "test")
    write_ome_zarr(root / "tomograms" / "tomo_1.zarr", tomogram_of(1), VOXEL_A, 2, {})
    return root


def turns_of(rows: pd.DataFrame) -> np.ndarray:
    return euler_to_matrix(torch.from_numpy(rows[ANGLES].to_numpy(float, copy=True))).numpy()


def check_truth(source: TomogramSource, poses: bool = True) -> None:
    assert source.names == ["tomo_0", "tomo_1"]
    assert source.voxel_size_A == pytest.approx(VOXEL_A)
    assert list(source.particles.columns) == list(PARTICLE_TABLE)
    for index, tomogram in enumerate(source.tomograms):
        assert tomogram.shape == SHAPE
        species, places, eulers = truth_of(index)
        rows = source.particles[source.particles["tomogram"] == tomogram.name]
        order = np.argsort(species, kind="stable")  # copick and the portal sort by object
        rows = rows.sort_values("label", kind="stable")
        assert rows["label"].tolist() == [species[k] for k in order]
        assert rows[POSITION].to_numpy() == pytest.approx(places[order] * VOXEL_A, abs=1e-3)
        if poses:
            expected = euler_to_matrix(torch.from_numpy(eulers[order])).numpy()
            assert turns_of(rows) == pytest.approx(expected, abs=1e-6)
        else:
            assert rows[ANGLES].isna().all(axis=None)
        whole = tomogram_of(index)
        block = tomogram.open().block((3, 5, 7), (9, 8, 6))
        assert np.array_equal(block, whole[3:12, 5:13, 7:13])


def test_a_dataset_folder_with_heights_from_the_middle_of_the_ice(dataset: Path) -> None:
    source = open_tomograms(dataset)
    assert source.kind == "dataset"
    check_truth(source)
    assert source.remarks == ("2 centres outside their tomogram left out",)
    assert sorted(source.maps) == sorted(CLASSES)


def test_another_flavour_of_a_dataset_folder(dataset: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(dataset, root)
    for index in range(2):
        smooth = tomogram_of(index) * 0.5
        write_mrc(root / "denoised" / f"tomo_{index}.mrc", smooth, VOXEL_A, "test")
    source = open_tomograms(root, TomogramOptions(flavour="denoised"))
    assert source.tomograms[0].path == root / "denoised" / "tomo_0.mrc"
    assert len(source.particles) == len(open_tomograms(dataset).particles)


def test_a_copick_project_and_what_copick_itself_reads(project: Path, monkeypatch) -> None:
    source = open_tomograms(project)
    assert source.kind == "copick"
    check_truth(source)
    assert sorted(source.maps) == sorted(CLASSES)
    copick = pytest.importorskip("copick")
    monkeypatch.chdir(project)
    for run in copick.from_file("copick_config.json").runs:
        for picks in run.picks:
            places_A, turns = picks.numpy()
            rows = source.particles[
                (source.particles["tomogram"] == run.name)
                & (source.particles["label"] == picks.pickable_object_name)
            ]
            assert rows[POSITION].to_numpy() == pytest.approx(places_A)
            assert turns_of(rows) == pytest.approx(turns[:, :3, :3], abs=1e-6)
        (tomogram,) = run.voxel_spacings[0].tomograms
        seen = source.tomogram(run.name).open().block((0, 0, 0), SHAPE)
        assert np.array_equal(seen, tomogram.numpy())


def test_a_users_picks_and_tomograms_are_in_the_overlay(
    project: Path, tmp_path: Path, monkeypatch
) -> None:
    copick = pytest.importorskip("copick")
    root = tmp_path / "project"
    shutil.copytree(project, root)
    monkeypatch.chdir(root)
    for run in copick.from_file("copick_config.json").runs:
        own = run.new_picks("bar", "1", "me")
        turn = np.eye(4)
        turn[:3, 3] = (5, 0, 0)  # copick adds the translation to the location
        own.from_numpy(np.array([[100.0, 110.0, 120.0]]), turn[None])
        run.voxel_spacings[0].new_tomogram("denoised").from_numpy(np.ones(SHAPE, np.float32))
    os.chdir(tmp_path)  # the roots are relative to the config, not to where one stands
    mine = TomogramOptions(flavour="denoised", user="me", session="1")
    source = open_tomograms(root, mine)
    assert source.particles[POSITION].to_numpy() == pytest.approx(np.array([[105.0, 110, 120]] * 2))
    assert source.tomograms[0].open().block((0, 0, 0), (1, 1, 2)).tolist() == [[[1, 1]]]
    check_truth(open_tomograms(root, TomogramOptions(flavour="wbp", user="cryoccd")))


def test_poses_that_copick_does_not_trust_are_left_out(project: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(project, root)
    for path in root.glob("ExperimentRuns/*/Picks/*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"trust_orientation": False}))
    check_truth(open_tomograms(root / "copick_config.json"), poses=False)


def test_the_scale_of_the_volume_is_finer_than_the_name_of_its_folder(tmp_path: Path) -> None:
    """Tomograms of the CZII challenge lie in VoxelSpacing10.000 and have voxels of 10.012 A."""
    root = write_project(tmp_path / "project")
    for name in ("tomo_0", "tomo_1"):
        spacing = root / "ExperimentRuns" / name / "VoxelSpacing10.000" / "wbp.zarr"
        text = (spacing / ".zattrs").read_text()
        (spacing / ".zattrs").write_text(text.replace("10.0", "10.012"))
    assert open_tomograms(root).voxel_size_A == 10.012


@pytest.mark.parametrize("below", ["", "Reconstructions/VoxelSpacing10.000"])
def test_the_layout_of_the_portal(project: Path, tmp_path: Path, below: str) -> None:
    root = tmp_path / "portal"
    for name in ("tomo_0", "tomo_1"):
        folder = root / name / below
        shutil.copytree(project / "portal" / name, folder / "Annotations" / "100")
        kept = project / "ExperimentRuns" / name / "VoxelSpacing10.000" / "wbp.zarr"
        shutil.copytree(kept, folder / "Tomograms" / "100" / f"{name}.zarr")
        write_mrc(folder / "Tomograms" / "100" / f"{name}.mrc", tomogram_of(0), VOXEL_A, "twin")
        if below:  # of another size: not chosen, and neither are its annotations
            other = root / name / "Reconstructions" / "VoxelSpacing20.000"
            write_ome_zarr(other / f"{name}.zarr", tomogram_of(1), 20.0, 1, {})
            (other / "bar.ndjson").write_text("")
    options = TomogramOptions(voxel_size_A=10.0 if below else None)
    source = open_tomograms(root, options)
    assert source.kind == "portal"
    check_truth(source)


def test_points_of_the_portal_beside_tomograms_from_elsewhere(project: Path, plain: Path) -> None:
    check_truth(open_tomograms(plain, TomogramOptions(picks=project / "portal")))


def test_a_csv_in_units_of_its_own(plain: Path) -> None:
    """The table of the CZII challenge: id, experiment, particle_type, x, y, z in 10 A."""
    parts = []
    for index in range(2):
        species, places, _ = truth_of(index)
        table = pd.DataFrame(places * VOXEL_A / 10, columns=["x", "y", "z"])
        parts.append(table.assign(experiment=f"tomo_{index}", particle_type=species))
    table = pd.concat(parts).reset_index(drop=True).rename_axis("id")
    table.to_csv(plain / "particles.csv")
    check_truth(open_tomograms(plain, TomogramOptions(picks_pixel_size_A=10)), poses=False)
    check_truth(open_tomograms(plain), poses=False)  # a voxel is 10 A here
    doubled = table.assign(**{axis: table[axis] / 2 for axis in "xyz"})
    doubled.to_csv(plain / "particles.csv")
    check_truth(open_tomograms(plain, TomogramOptions(picks_pixel_size_A=20)), poses=False)


def test_our_own_table_as_csv(dataset: Path, plain: Path) -> None:
    open_tomograms(dataset).particles.to_csv(plain / "table.csv")
    check_truth(open_tomograms(plain))


@pytest.mark.parametrize("series", [False, True])
def test_star_files_one_a_class(plain: Path, series: bool) -> None:
    """Of voxels, or as RELION 4 and 5: of pixels of the tilt series, with a shift."""
    starfile = pytest.importorskip("starfile")
    for name in CLASSES:
        parts = []
        for index in range(2):
            species, places, eulers = truth_of(index)
            chosen = np.array(species) == name
            xyz = places[chosen]
            if series:
                xyz = xyz * VOXEL_A / 2.5 + np.array([1, -2, 3]) / 2.5
            columns = [f"rlnCoordinate{axis}" for axis in "XYZ"]
            table = pd.DataFrame(xyz, columns=columns)
            table[["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]] = eulers[chosen]
            if series:
                table[[f"rlnOrigin{axis}Angst" for axis in "XYZ"]] = [1.0, -2.0, 3.0]
                table = table.assign(rlnTomoName=f"tomo_{index}", rlnOpticsGroup=1)
            else:
                table = table.assign(rlnMicrographName=f"Tomograms/tomo_{index}.mrc")
            parts.append(table)
        blocks = {"particles": pd.concat(parts)}
        if series:
            optics = {"rlnOpticsGroup": [1], "rlnTomoTiltSeriesPixelSize": [2.5]}
            blocks = {"optics": pd.DataFrame(optics), **blocks}
        (plain / "picks").mkdir(exist_ok=True)
        starfile.write(blocks, plain / "picks" / f"{name}.star")
    check_truth(open_tomograms(plain))


def test_blocks_are_zero_beyond_the_volume(plain: Path) -> None:
    (plain / "none.csv").write_text("tomogram,label,x_A,y_A,z_A\n")
    source = open_tomograms(plain)
    assert len(source.particles) == 0
    for index, tomogram in enumerate(source.tomograms):
        padded = np.pad(tomogram_of(index), 10)
        voxels = tomogram.open()
        assert np.array_equal(voxels.block((-10, -3, 40), (12, 9, 20)), padded[:12, 7:16, 50:70])
        assert not voxels.block((-30, 0, 0), (20, 4, 4)).any()
        assert np.array_equal(np.concatenate(list(voxels.slabs())), tomogram_of(index))


def test_a_part_of_the_tomograms(plain: Path) -> None:
    (plain / "one.csv").write_text(
        "tomogram,label,x_A,y_A,z_A\ntomo_1.mrc,bar,10,20,30\nelsewhere,bar,10,20,30\n"
    )
    source = open_tomograms(plain, TomogramOptions(names=["tomo_1"]))
    assert source.names == ["tomo_1"]
    assert source.particles["tomogram"].tolist() == ["tomo_1"]
