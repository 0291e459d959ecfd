"""`cryoccd evaluate detection` on small tomograms, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from detection_toys import CLASSES, DIAMETERS, RADII_A, write_config, write_folder
from tomogram_folders import write_dataset

from cryoccd.cli import main
from cryoccd.io.tomograms import open_tomograms
from cryoccd.launch.detection_card import training_sets
from cryoccd.launch.detection_task import detection_task
from cryoccd.launch.detectors import Detectors
from cryoccd.launch.volume_data import read_data

SMALL = (
    "--detector.crops=160",
    "--detector.crop_voxels=24",
    "--detector.width=4",
    "--detector.learning_rate=2e-2",
)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Configuration of five tomograms of which the first is held out, and two to be added."""
    root = tmp_path_factory.mktemp("detection")
    real = write_folder(root / "real", 5)
    return write_config(root / "data.yaml", real), write_folder(root / "made", 2, first=20)


def words(sets, output, *more):
    argv = ["evaluate", "detection", "--data", sets[0], "--generated", sets[1]]
    return [str(word) for word in (*argv, "--output", output, *DIAMETERS, *more)]


def test_a_card(sets, tmp_path, capsys):
    output = tmp_path / "card.json"
    assert main(words(sets, output, "--seeds=0,1", *SMALL)) == 0
    assert "real_and_generated" in capsys.readouterr().out
    record = json.loads(output.read_text())
    rows = record["rows"]
    assert list(rows) == ["real", "real_and_generated", "generated", "random"]
    assert rows["real"]["metrics"]["f_beta"]["value"] > 0.5
    assert rows["random"]["metrics"]["f_beta"]["value"] < 0.3
    assert "gain" not in rows["real"]["metrics"]
    for seed in (0, 1):
        both, real = (rows[n]["seeds"][seed] for n in ("real_and_generated", "real"))
        gain = both["f_beta"]["value"] - real["f_beta"]["value"]
        assert both["gain"]["value"] == pytest.approx(gain)
        assert both["f_beta"]["interval"] == "none"  # one held-out tomogram
    protocol = record["protocol"]
    assert protocol["held_out"] == ["tomo_0"]
    assert protocol["thresholds_of"] == "tomo_1"
    assert protocol["trained_on"]["real"] == ["tomo_2", "tomo_3", "tomo_4"]
    assert protocol["trained_on"]["generated"] == ["tomo_20", "tomo_21"]
    assert protocol["radii_A"] == RADII_A
    assert "| generated |" in output.with_suffix(".md").read_text()
    made = tmp_path / "card" / "generated__1" / "detector.safetensors"
    before = made.stat().st_mtime_ns
    assert main(words(sets, output, "--seeds=0,1", *SMALL)) == 0
    assert made.stat().st_mtime_ns == before
    assert json.loads(output.read_text())["rows"] == rows
    assert main(words(sets, output, "--seeds=1", *SMALL, "--detector.sigma=0.3")) == 0
    assert made.stat().st_mtime_ns != before


def test_nothing_is_learnt_of_held_out_tomograms(sets, tmp_path):
    """Neither weights nor thresholds change with the labels that detectors are judged on."""
    task = detection_task(read_data(sets[0]), {name: 2 * r for name, r in RADII_A.items()})
    parts = [{each.name for each in part} for part in (task.training, task.held)]
    assert parts == [{"tomo_2", "tomo_3", "tomo_4"}, {"tomo_0"}]
    assert task.choosing.name == "tomo_1"
    swapped = replace(task.held[0], labels=1 - task.held[0].labels)
    config = Detectors(task).config
    small = replace(config, crops=16, crop_voxels=24, width=4)
    found = [
        Detectors(each, small, tmp_path / str(number)).trained("real", task.training, 0)
        for number, each in enumerate((task, replace(task, held=(swapped,))))
    ]
    for name in CLASSES:
        assert np.array_equal(found[0]["tomo_0"][name], found[1]["tomo_0"][name])
    files = [tmp_path / f"{k}/real__0/detector.safetensors" for k in (0, 1)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_every_row_has_as_many_crops_and_the_same_thresholds_tomogram(sets):
    task = detection_task(read_data(sets[0]), {name: 2 * r for name, r in RADII_A.items()})
    made = task.labelled(open_tomograms(sets[1]))
    rows = training_sets(task, made)
    assert [len(each) for each in rows.values()] == [3, 5, 2]
    held = {task.choosing.name, *(each.name for each in task.held)}
    assert not any(held & {each.name for each in own} for own in rows.values())
    places = task.random(3)["tomo_0"]
    assert {name: len(each) for name, each in places.items()} == {"ball": 4, "ring": 4}
    assert np.array_equal(places["ball"], task.random(3)["tomo_0"]["ball"])
    assert not np.array_equal(places["ball"], task.random(4)["tomo_0"]["ball"])
    truth = {"tomo_0": task.held[0].particles_A(task.classes)}
    assert task.figures(truth)["f_beta"].value == 1


def test_radii_are_those_of_maps(tmp_path):
    root = write_dataset(tmp_path / "set", 4).root
    task = detection_task(read_data(write_config(tmp_path / "data.yaml", root)))
    assert set(task.radii_A) == {"bar", "hook"}
    assert all(20 < radius_A < 70 for radius_A in task.radii_A.values())
    told = detection_task(read_data(tmp_path / "data.yaml"), {"bar": 90})
    assert told.radii_A == {**task.radii_A, "bar": 45}


def test_particles_of_the_challenge_have_its_radii(tmp_path):
    root = write_folder(tmp_path / "set", 3)
    picks = pd.read_csv(root / "picks.csv")
    picks["label"] = picks["label"].map({"ball": "ribosome", "ring": "apo-ferritin"})
    picks.to_csv(root / "picks.csv", index=False)
    task = detection_task(read_data(write_config(tmp_path / "data.yaml", root)))
    assert task.radii_A == {"apo-ferritin": 60, "ribosome": 150}


def test_a_set_composed_of_what_is_held_out_is_told(tmp_path):
    from cryoccd.launch.detection_card import _warnings

    task = detection_task(
        read_data(write_config(tmp_path / "data.yaml", write_dataset(tmp_path / "set", 4).root))
    )
    made = write_dataset(tmp_path / "made", 2).root
    source = open_tomograms(made)
    assert _warnings(task, source) == ()
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["made_by"]["tomograms"] = {"tomo_0": [1, 1, 1], "tomo_9": [1, 1, 1]}
    (made / "manifest.json").write_text(json.dumps(manifest))
    assert "Composed from tomo_0 among others" in _warnings(task, source)[0]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--seeds", "a"], "seeds = 'a', expected whole numbers"),
        (["--diameter", "cat=5"], "diameter: cat is no class, expected ball, ring"),
        (["--device", "tpu"], "device tpu: not at hand"),
        (["--detector.crops", "2"], "crops = 2, expected a batch"),
        (["--detector.crop", "2"], "unknown key detector.crop"),
        (["--generated", "nowhere"], "nowhere: no such folder"),
        (["--data", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--generated_flavour", "denoised"], "made: no tomograms"),
    ],
)
def test_bad_options_are_refused(more, told, sets, tmp_path, refused):
    refused(words(sets, tmp_path / "out" / "card.json", *more), told, output=tmp_path / "out")


def test_bad_data_is_refused(sets, tmp_path, refused):
    real = sets[1].parent / "real"

    def fails(told, output="out/card.json", data=None, made=None, diameters=DIAMETERS):
        argv = ["evaluate", "detection", "--data", data or sets[0]]
        more = ["--generated", made or sets[1], "--output", tmp_path / output, *diameters]
        refused([*argv, *more], told, output=tmp_path / "out")

    random = write_config(tmp_path / "random.yaml", real, split="random")
    fails("take split leave_one_out", data=random)
    few = write_folder(tmp_path / "few", 2)
    fails("1 tomograms to train on, expected two", data=write_config(tmp_path / "few.yaml", few))
    (tmp_path / "none.yaml").write_text("model: {}\n")
    fails("no key data", data=tmp_path / "none.yaml")
    other = {"class_path": "cryoccd.data.datamodule.CryoDataModule"}
    sides = {"simulated": "a", "real": "b"}
    (tmp_path / "other.yaml").write_text(json.dumps({"data": {**other, "init_args": sides}}))
    fails("subclass of SubtomogramDataModule", data=tmp_path / "other.yaml")
    fails("is the real set itself", made=real)
    fails("pixel size: 8 A", made=write_folder(tmp_path / "small", 2, voxel_A=8.0))
    fails("particles of bar, hook, expected of ball, ring", made=write_dataset(tmp_path / "d").root)
    fails("no map of ball to measure it; give --diameter", diameters=())
    fails("expected the name of a JSON file", output="out/card.txt")
