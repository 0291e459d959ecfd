"""The dataset folder: whole or refused, resumable, and what its files say."""

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.records import PARTICLE_COLUMNS, Exposure, Optics, Volume

MADE_BY = {"verb": "simulate", "seed": 3}


def exposure(n_particles: int = 2, side: int = 64) -> Exposure:
    rows = pd.DataFrame(
        {column: np.zeros(n_particles) for column in PARTICLE_COLUMNS},
    ).assign(
        instance_id=np.arange(1, n_particles + 1),
        species="barrel",
        conformation=0,
        x_A=np.linspace(10, 100, n_particles),
        y_A=40.0,
        on_edge=False,
    )
    generator = torch.Generator().manual_seed(n_particles)
    return Exposure(
        clean=1 + 0.01 * torch.randn(side, side, generator=generator),
        instances=torch.arange(side * side).reshape(side, side).int() % (n_particles + 1),
        ice_thickness_A=torch.full((side // 8, side // 8), 300.0),
        particles=rows,
        optics=Optics(300, 2.7, 0.1, 2.0, 15000, 15500),
    )


def write_set(root: Path, names: list[str], **items: Item) -> DatasetWriter:
    writer = DatasetWriter(root, MADE_BY)
    for index, name in enumerate(names):
        writer.write(items.get(name, Item(name, exposure(index), seed=index)))
    return writer


def test_what_is_written_is_read(tmp_path: Path) -> None:
    noisy = np.random.default_rng(0).normal(size=(64, 64))
    items = {"b": Item("b", exposure(3), seed=9, image=noisy, dose_e_per_A2=40.0, style="first")}
    write_set(tmp_path / "set", ["a", "b"], **items).finish(["a", "b"])
    dataset = Dataset(tmp_path / "set")
    assert dataset.names == ["a", "b"]
    assert dataset.pixel_size_A == 2.0
    read = dataset.exposure("b")
    assert torch.equal(read.clean, exposure(3).clean)
    assert torch.equal(read.instances, exposure(3).instances)
    pd.testing.assert_frame_equal(
        read.particles[list(PARTICLE_COLUMNS)], exposure(3).particles, check_dtype=False
    )
    assert read.optics == exposure().optics
    np.testing.assert_array_equal(dataset.image("b"), noisy.astype(np.float32))
    assert dataset.manifest["synthetic"] is True
    assert len(dataset.particles_of("a")) == 0  # no particle is a legal micrograph


def test_headers(tmp_path: Path) -> None:
    write_set(tmp_path, ["a"], a=Item("a", exposure(), seed=77)).finish(["a"])
    with mrcfile.open(tmp_path / "micrographs" / "a.mrc") as file:
        assert file.data.dtype == np.float32
        assert float(file.voxel_size.x) == 2.0
        (label,) = file.get_labels()
    assert label.startswith("SYNTHETIC cryoccd ")
    assert label.endswith(" seed 77")
    with mrcfile.open(tmp_path / "instances" / "a.mrc") as file:
        assert file.data.dtype == np.uint16
    with mrcfile.open(tmp_path / "ice" / "a.mrc") as file:
        assert float(file.voxel_size.x) == 16.0


def test_without_noise_the_image_is_a_hard_link(tmp_path: Path) -> None:
    noisy = Item("b", exposure(), seed=0, image=np.ones((64, 64), np.float32))
    write_set(tmp_path, ["a", "b"], b=noisy).finish(["a", "b"])
    for name, linked in (("a", True), ("b", False)):
        clean = (tmp_path / "clean" / f"{name}.mrc").stat()
        assert (clean.st_ino == (tmp_path / "micrographs" / f"{name}.mrc").stat().st_ino) is linked


def test_unfinished_is_refused_as_input(tmp_path: Path) -> None:
    write_set(tmp_path, ["a"])
    with pytest.raises(CryoccdError, match=r"no manifest\.json, so unfinished.*--resume"):
        Dataset(tmp_path)


def test_finish_needs_every_item(tmp_path: Path) -> None:
    writer = write_set(tmp_path, ["a"])
    with pytest.raises(CryoccdError, match="item b is missing"):
        writer.finish(["a", "b"])
    assert not (tmp_path / "manifest.json").exists()


def test_resume_keeps_whole_items_and_rewrites_a_corrupted_one(tmp_path: Path) -> None:
    write_set(tmp_path, ["a", "b", "c"])
    before = (tmp_path / "clean" / "a.mrc").stat().st_mtime_ns
    content = bytearray((tmp_path / "clean" / "b.mrc").read_bytes())
    content[-1] ^= 1
    (tmp_path / "clean" / "b.mrc").write_bytes(content)
    (tmp_path / "ice" / "c.mrc").unlink()

    writer = DatasetWriter(tmp_path, MADE_BY, resume=True)
    names = ["a", "b", "c", "d"]
    assert [writer.has(name) for name in names] == [True, False, False, False]
    for index, name in enumerate(names):
        if not writer.has(name):
            writer.write(Item(name, exposure(index), seed=index))
    writer.finish(names)
    assert (tmp_path / "clean" / "a.mrc").stat().st_mtime_ns == before
    dataset = Dataset(tmp_path)
    assert torch.equal(dataset.exposure("b").clean, exposure(1).clean)
    assert [len(dataset.particles_of(name)) for name in names] == [0, 1, 2, 3]


def test_resumed_set_is_the_uninterrupted_one(tmp_path: Path) -> None:
    write_set(tmp_path / "whole", ["a", "b"]).finish(["a", "b"])
    write_set(tmp_path / "cut", ["a"])
    writer = DatasetWriter(tmp_path / "cut", MADE_BY, resume=True)
    writer.write(Item("b", exposure(1), seed=1))
    writer.finish(["a", "b"])
    assert Dataset(tmp_path / "cut").manifest == Dataset(tmp_path / "whole").manifest


def test_items_of_another_configuration_are_not_kept(tmp_path: Path) -> None:
    write_set(tmp_path, ["a"])
    assert not DatasetWriter(tmp_path, {"seed": 4}, resume=True).has("a")


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    write_set(tmp_path, ["a"]).finish(["a"])
    with pytest.raises(CryoccdError, match="not empty"):
        DatasetWriter(tmp_path, MADE_BY)
    with pytest.raises(CryoccdError, match="another configuration"):
        DatasetWriter(tmp_path, {"seed": 4}, resume=True)
    assert DatasetWriter(tmp_path, MADE_BY, resume=True).finished


def test_a_write_that_dies_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("cryoccd.io.atomic.os.link", full)
    monkeypatch.setattr("cryoccd.io.atomic.shutil.copyfile", full)
    with pytest.raises(OSError, match="no space"):
        write_set(tmp_path, ["a"])
    assert not DatasetWriter(tmp_path, MADE_BY, resume=True).has("a")
    assert not [p for p in tmp_path.rglob("*") if ".part" in p.name]


def test_where_links_are_unknown_the_image_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("links are not supported")

    monkeypatch.setattr("cryoccd.io.atomic.os.link", refuse)
    write_set(tmp_path, ["a"]).finish(["a"])
    clean, image = (tmp_path / kind / "a.mrc" for kind in ("clean", "micrographs"))
    assert clean.read_bytes() == image.read_bytes()
    assert not clean.samefile(image)


def test_species_are_in_the_manifest(tmp_path: Path) -> None:
    writer = write_set(tmp_path, ["a"])
    writer.write_species("barrel", Volume(torch.ones(16, 16, 16), 2.0))
    writer.finish(["a"])
    assert "species/barrel.mrc" in Dataset(tmp_path).manifest["files"]


@pytest.mark.parametrize("content", ["{", '{"schema_version": 99}'])
def test_faulty_manifest(tmp_path: Path, content: str) -> None:
    write_set(tmp_path, ["a"]).finish(["a"])
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(CryoccdError, match=r"manifest\.json"):
        Dataset(tmp_path)


def test_artefacts_and_movies_come_back(tmp_path: Path) -> None:
    plain = exposure(1)
    artefacts = pd.DataFrame(
        {"instance_id": [2], "kind": ["gold_bead"], "x_A": [3.0], "y_A": [4.0], "z_A": [-5.0]}
    )
    frames = np.random.default_rng(0).normal(size=(3, 64, 64)).astype(np.float32)
    item = Item(
        "a", replace(plain, artefacts=artefacts), seed=0, image=frames.sum(0), frames=frames
    )
    write_set(tmp_path, ["a", "b"], a=item).finish(["a", "b"])
    dataset = Dataset(tmp_path)
    pd.testing.assert_frame_equal(dataset.artefacts_of("a")[list(artefacts)], artefacts)
    assert len(dataset.exposure("b").artefacts) == 0
    assert "movies/a.mrcs" in dataset.manifest["files"]
    with mrcfile.open(tmp_path / "movies" / "a.mrcs") as file:
        assert file.is_image_stack()
        np.testing.assert_array_equal(file.data, frames)


def test_tables_are_the_same_in_any_number_of_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b", "c", "d"]
    write_set(tmp_path / "one", names).finish(names)
    monkeypatch.setattr("cryoccd.io.dataset.tables._ROWS_AT_ONCE", 2)
    write_set(tmp_path / "many", names).finish(names)
    one, many = (Dataset(tmp_path / folder).particles for folder in ("one", "many"))
    pd.testing.assert_frame_equal(one, many)
    assert len(one) == 6
