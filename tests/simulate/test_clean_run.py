import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import write_mrc
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.simulate import run as run_module
from cryoccd.simulate.cast import load_specimens
from cryoccd.simulate.config import SimulateConfig, SpeciesConfig
from cryoccd.simulate.parallel import for_each
from cryoccd.simulate.run import simulate


@pytest.fixture
def config(tmp_path):
    """Three small micrographs of one map."""
    axis = np.arange(24) - 12
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = 6 * np.exp(-((x / 4) ** 2 + (y / 3) ** 2 + (z / 2) ** 2) / 2)
    write_mrc(tmp_path / "blob.mrc", values.astype(np.float32), 4.0, "test")
    return SimulateConfig(
        species=[SpeciesConfig(str(tmp_path / "blob.mrc"))],
        count=3,
        shape_px=(64, 80),
        pixel_size_A=4.0,
        particles=CrowdingConfig(6, 2),
    )


def checksums(root: Path) -> dict[str, str]:
    files = json.loads((root / "manifest.json").read_text())["files"]
    return {path: entry["sha256"] for path, entry in files.items()}


def test_one_and_two_workers_write_the_same_bytes(config, tmp_path):
    simulate(config, tmp_path / "one")
    simulate(config, tmp_path / "two", workers=2)
    assert checksums(tmp_path / "one") == checksums(tmp_path / "two")
    assert (tmp_path / "one/manifest.json").read_bytes() == (
        tmp_path / "two/manifest.json"
    ).read_bytes()


def test_one_and_two_threads_write_the_same_bytes(config, tmp_path):
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            simulate(config, tmp_path / str(threads))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert checksums(tmp_path / "1") == checksums(tmp_path / "2")


def test_the_folder_is_a_dataset(config, tmp_path):
    simulate(config, tmp_path / "set")
    dataset = Dataset(tmp_path / "set")
    assert dataset.names == ["mic_00000", "mic_00001", "mic_00002"]
    assert dataset.pixel_size_A == 4.0
    exposure = dataset.exposure("mic_00001")
    assert exposure.clean.shape == (64, 80)
    assert exposure.ice_thickness_A.shape == (8, 10)
    assert set(exposure.instances.unique().tolist()) - {0} == set(exposure.particles["instance_id"])
    assert (tmp_path / "set/species/blob.mrc").is_file()
    assert (tmp_path / "set/micrographs/mic_00000.mrc").stat().st_nlink == 2


def test_an_item_is_the_same_in_a_larger_set_and_differs_with_the_seed(config, tmp_path):
    simulate(config, tmp_path / "three")
    simulate(replace(config, count=1), tmp_path / "one")
    simulate(replace(config, count=1, seed=1), tmp_path / "other")
    name = "clean/mic_00000.mrc"
    assert checksums(tmp_path / "one")[name] == checksums(tmp_path / "three")[name]
    assert checksums(tmp_path / "other")[name] != checksums(tmp_path / "three")[name]
    images = checksums(tmp_path / "three")
    assert len({images[f"clean/mic_0000{i}.mrc"] for i in range(3)}) == 3


def test_interrupted_and_resumed_repeats_nothing(config, tmp_path, monkeypatch):
    simulate(config, tmp_path / "whole")
    made = []
    original = run_module.simulate_one

    def count(stop, *arguments):
        if len(made) == stop:
            raise KeyboardInterrupt
        made.append(arguments[-1])
        return original(*arguments)

    monkeypatch.setattr(run_module, "simulate_one", partial(count, 2))
    with pytest.raises(KeyboardInterrupt):
        simulate(config, tmp_path / "set")
    assert not (tmp_path / "set/manifest.json").exists()
    with pytest.raises(CryoccdError, match="--resume"):
        simulate(config, tmp_path / "set")
    monkeypatch.setattr(run_module, "simulate_one", partial(count, -1))
    simulate(config, tmp_path / "set", resume=True)
    simulate(config, tmp_path / "set", resume=True)
    assert made == [0, 1, 2]
    assert checksums(tmp_path / "set") == checksums(tmp_path / "whole")


def test_bad_input_leaves_no_folder(config, tmp_path):
    for bad, word in (
        (replace(config, particles=CrowdingConfig(500)), "mean = 500"),
        (replace(config, species=config.species * 2), "blob"),
        (replace(config, species=[SpeciesConfig(str(tmp_path / "none.mrc"))]), "none.mrc"),
        (replace(config, shape_px=(32, 32), pixel_size_A=0.5), "box"),
    ):
        with pytest.raises(CryoccdError, match=word):
            simulate(bad, tmp_path / "set")
        assert not (tmp_path / "set").exists()
    with pytest.raises(CryoccdError, match="workers = 0"):
        simulate(config, tmp_path / "set", workers=0)
    with pytest.raises(CryoccdError, match="device"):
        simulate(config, tmp_path / "set", device="cudo")


def test_volumes_come_in_the_order_of_the_config(config):
    both = replace(config, species=[*config.species, SpeciesConfig("assembly:lobed_c1")])
    assert [kind.name for kind in load_specimens(both)] == ["blob", "lobed_c1"]


def _fail_at_two(index: int) -> None:
    if index == 2:
        raise CryoccdError("item 2 is bad")


def _setup():
    return _fail_at_two


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_surfaces(workers):
    with pytest.raises(CryoccdError, match="item 2 is bad"):
        list(for_each(_setup, range(4), workers))


def test_for_each_restores_the_number_of_threads():
    before = torch.get_num_threads()
    assert list(for_each(lambda: print, range(2), 1)) == [0, 1]
    assert list(for_each(_setup, [], 4)) == []
    assert torch.get_num_threads() == before
