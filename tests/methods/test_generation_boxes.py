"""Folders of boxes of each class: names, seeds, labels, conditions, resumption."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from blob_generator import PLACES, SIDE, VOXEL_A, BlobGenerator, fitted, write_checkpoint
from tomogram_folders import SHAPE, density_of, write_dataset

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import BoxFolder
from cryoccd.io.mrc import read_mrc
from cryoccd.io.tomograms import open_tomograms
from cryoccd.methods.checkpoint import load_generator
from cryoccd.methods.generation import chosen_labels, sample_boxes
from cryoccd.methods.generation.places import UniformPlaces
from cryoccd.randomness import item_seed


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("fit"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("simulated") / "set").root


def sampled(checkpoint: Path, output: Path, model=None, **options) -> BoxFolder:
    model = model or load_generator(checkpoint)
    chosen = {"labels": [0, 1], "count": 5, "batch_size": 2} | options
    sample_boxes(model, checkpoint, output, **chosen)
    return BoxFolder(output)


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_folder_of_boxes(checkpoint, tmp_path):
    boxes = sampled(checkpoint, tmp_path / "set", seed=4)
    assert boxes.names == [f"{c}_{k:05d}" for c in ("bar", "hook") for k in range(5)]
    assert boxes.labels.tolist() == [0] * 5 + [1] * 5
    assert (boxes.classes, boxes.box_voxels, boxes.voxel_size_A) == (("bar", "hook"), SIDE, VOXEL_A)
    assert boxes.volumes.shape == (10, SIDE, SIDE, SIDE)
    assert boxes.volumes.mean((1, 2, 3)) == pytest.approx(0, abs=1e-5)
    assert boxes.densities is None
    path = tmp_path / "set/boxes/bar_00003.mrc"
    assert read_mrc(path)[1] == pytest.approx(VOXEL_A)
    seed = item_seed(4, "sample", "bar", 3)
    assert f"seed {seed}" in path.read_bytes()[224:304].decode()
    assert b"SYNTHETIC cryoccd" in path.read_bytes()[:1024]
    table = pd.read_parquet(tmp_path / "set/boxes.parquet").set_index("box")
    assert table["seed"]["bar_00003"] == seed
    assert table[["rot_deg", "offset_x_px"]].isna().all(axis=None)
    made_by = boxes.manifest["made_by"]
    assert made_by["evaluations"] == 7
    assert len(made_by["checkpoint_sha256"]) == 64
    assert made_by["config"]["class_path"] == "blob_generator.BlobGenerator"


def test_a_box_is_the_same_in_any_batch_and_set(checkpoint, tmp_path):
    whole = sampled(checkpoint, tmp_path / "whole")
    alone = sampled(checkpoint, tmp_path / "alone", batch_size=1, count=3, labels=[1])
    other = sampled(checkpoint, tmp_path / "other", seed=1)
    for name in alone.names:
        assert np.abs(alone.volume(name) - whole.volume(name)).max() < 1e-5
    rows = [boxes.table.set_index("box").loc[alone.names] for boxes in (alone, whole)]
    pd.testing.assert_frame_equal(*rows)
    flat = np.concatenate([whole.volumes, other.volumes]).reshape(20, -1)
    spread = [np.abs(a - b).max() for i, a in enumerate(flat) for b in flat[:i]]
    assert min(spread) > 0.1  # no two share their noise


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_an_interrupted_run_goes_on_to_the_same_bytes(checkpoint, tmp_path, batch_size):
    sampled(checkpoint, tmp_path / "whole", batch_size=batch_size)
    root, options = tmp_path / "set", {"batch_size": batch_size}
    with pytest.raises(KeyboardInterrupt):
        sampled(checkpoint, root, fitted(BlobGenerator(fail_at=3)), **options)
    assert not (root / "manifest.json").exists()
    begun = {p.name for p in (root / "boxes").iterdir()}
    assert len(begun) == 2 * batch_size if batch_size < 4 else 5
    with pytest.raises(CryoccdError, match=r"not empty; add --resume"):
        sampled(checkpoint, root, **options)
    (root / "boxes/bar_00000.mrc").unlink()  # one box of a batch is missing
    model = fitted(BlobGenerator())
    sampled(checkpoint, root, model, resume=True, **options)
    assert files(root) == files(tmp_path / "whole")
    calls = len(model.calls)
    sampled(checkpoint, root, model, resume=True, **options)
    assert len(model.calls) == calls
    with pytest.raises(CryoccdError, match="another configuration or seed"):
        sampled(checkpoint, root, resume=True, seed=5, **options)


def test_positions_are_those_of_the_class_or_anywhere(checkpoint, tmp_path):
    model = fitted(BlobGenerator())
    boxes = sampled(checkpoint, tmp_path / "data", model)
    known = {label: PLACES[1][PLACES[0] == label].tolist() for label in (0, 1)}
    drawn = boxes.table[["x", "y", "z"]].to_numpy()
    for label, position in zip(boxes.labels, drawn, strict=True):
        assert any(np.allclose(position, place) for place in known[int(label)])
    assert {tuple(p) for p in drawn[:2]} == {tuple(p) for p in drawn[2:4]}  # each once a round
    told = torch.cat([position for _, position, _ in model.calls])
    assert told.numpy() == pytest.approx(drawn)
    uniform = UniformPlaces(0)
    drawn = np.array([uniform.place(k % 2, k // 2).position for k in range(800)])
    assert drawn.mean(0) == pytest.approx(0.5, abs=0.05)
    assert drawn.std(0) == pytest.approx(12**-0.5, abs=0.03)


def test_densities_and_poses_of_simulated_particles(checkpoint, simulated, tmp_path):
    boxes = sampled(checkpoint, tmp_path / "set", density=simulated, count=4)
    source = open_tomograms(simulated)
    rows = source.particles
    for name in boxes.names:
        row = boxes.table.set_index("box").loc[name]
        near = (rows["tomogram"] == row["tomogram"]) & (rows["label"] == row["class"])
        place = (row[["x", "y", "z"]].to_numpy(float) * SHAPE[::-1] - 0.5) * VOXEL_A
        found = rows[near & (np.abs(rows[["x_A", "y_A", "z_A"]] - place).max(axis=1) < 0.1)]
        assert len(found) == 1
        angles = ["rot_deg", "tilt_deg", "psi_deg"]
        assert found[angles].to_numpy()[0] == pytest.approx(row[angles].to_numpy(float))
        offset = row[["offset_x_px", "offset_y_px", "offset_z_px"]].to_numpy(float)
        assert np.abs(offset).max() <= 0.5
        # the particle in the middle, in closed form; its highest map value is 1
        own = density_of([row["class"]], [SIDE // 2 + offset], [angles_of(row)], (SIDE,) * 3)
        drawn = boxes.volume(name, "densities")
        inner = (slice(SIDE // 2 - 2, SIDE // 2 + 3),) * 3
        assert np.corrcoef(drawn[inner].ravel(), own[inner].ravel())[0, 1] > 0.6
        assert np.corrcoef(drawn.ravel(), -boxes.volume(name).ravel())[0, 1] > 0.5
    assert boxes.densities.shape == boxes.volumes.shape


def angles_of(row) -> list[float]:
    return row[["rot_deg", "tilt_deg", "psi_deg"]].to_numpy(float).tolist()


def test_refusals(checkpoint, simulated, tmp_path):
    model, output = fitted(BlobGenerator()), tmp_path / "set"
    for options, told in [
        ({"count": 0}, "count = 0, expected 1 or more"),
        ({"batch_size": 0}, "batch_size = 0, expected 1 or more"),
        ({"positions": "x"}, "positions = 'x', expected data or uniform"),
        ({"density": tmp_path / "none"}, "no such folder"),
        ({"model": fitted(BlobGenerator(nan=True))}, "bar_00000: the model gave NaN"),
    ]:
        with pytest.raises(CryoccdError, match=told):
            sampled(checkpoint, output, **{"model": model} | options)
    with pytest.raises(CryoccdError, match="classes: cat, expected some of bar, hook"):
        chosen_labels(model, ["bar", "cat"])
    with pytest.raises(CryoccdError, match="classes: none"):
        chosen_labels(model, [])
    with pytest.raises(CryoccdError, match=r"class '\.\./a' cannot name a file"):
        chosen_labels(fitted(BlobGenerator(), classes=("../a", "b")))
    with pytest.raises(CryoccdError, match="not calibrated"):
        chosen_labels(BlobGenerator())
    many = fitted(BlobGenerator(), classes=("bar", "hook", "rod"))
    with pytest.raises(CryoccdError, match="trained with no box of rod; take uniform"):
        sampled(checkpoint, output, many, labels=[2])
    with pytest.raises(CryoccdError, match="no particle of rod to take"):
        sampled(checkpoint, output, many, labels=[2], density=simulated)
    model.voxel_size_A.fill_(12.0)
    with pytest.raises(CryoccdError, match=r"voxels of 10 A, but the model's have 12 A"):
        sampled(checkpoint, output, model, density=simulated)
    assert not output.exists()


def test_a_folder_is_read_or_refused(checkpoint, simulated, tmp_path):
    root = tmp_path / "set"
    sampled(checkpoint, root, count=1)
    with pytest.raises(CryoccdError, match="holds no boxes of tomograms"):
        BoxFolder(simulated)
    other = shutil.copytree(root, tmp_path / "other")
    (other / "manifest.json").unlink()
    with pytest.raises(CryoccdError, match=r"no manifest\.json"):
        BoxFolder(other)
    shutil.copy(root / "manifest.json", other)
    table = pd.read_parquet(root / "boxes.parquet")
    table["class"] = "cats"  # as long as a class
    table["class"] = table["class"].str.slice(0, 3)
    table.to_parquet(other / "boxes.parquet")
    text = (other / "manifest.json").read_text()
    size = (other / "boxes.parquet").stat().st_size
    known = f'"bytes": {(root / "boxes.parquet").stat().st_size}'
    (other / "manifest.json").write_text(text.replace(known, f'"bytes": {size}'))
    with pytest.raises(CryoccdError, match="boxes of cat, expected boxes of bar, hook"):
        BoxFolder(other)
