"""Killed or interrupted anywhere, the same command goes on: nothing twice, nothing lost."""

import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from stopping import check_whole, finished_files, run_until

from cryoccd.cli import main
from cryoccd.io.mrc import write_mrc
from cryoccd.records import Atoms
from cryoccd.simulate.oracle_run import write_oracle
from cryoccd.simulate.oracle_styles import STYLES, Ingredient

# files in order: 1 species; 4 an item (clean, instances, ice, record); 3 tables; the manifest
IN_SIMULATE = {"species": 1, "first item": 3, "second item": 8, "tables": 15, "manifest": 17}
# files in order: 5 an item (clean, image, instances, ice, record); 3 tables; the manifest
IN_TRANSLATE = {"first item": 2, "second item": 9, "tables": 17, "manifest": 19}
# files in order: 3 an item (image, picks, record); split, optics, truth, marker
IN_ORACLE = {"first item": 2, "second item": 6, "optics": 11, "marker": 13}
# files in order, an epoch: the configuration, the checkpoint
IN_FIT = {"second configuration": 3, "second checkpoint": 4}
NEVER = 10**9


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The command that writes three small micrographs of a blob, and its uninterrupted result."""
    root = tmp_path_factory.mktemp("simulate")
    axis = np.arange(16) - 8
    squared = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    write_mrc(root / "blob.mrc", (9 * np.exp(-squared / 10)).astype(np.float32), 4.0, "test")
    small = ["--shape_px=[48, 48]", "--pixel_size_A=4", "--count=3", "--particles.mean=2"]
    argv = ["simulate", "--structure", str(root / "blob.mrc"), *small]
    assert main([*argv, "--output", str(root / "whole")]) == 0
    return argv, root / "whole"


@pytest.mark.parametrize("place", IN_SIMULATE)
def test_simulate_killed(place, simulated, tmp_path):
    argv, whole = simulated
    root = tmp_path / "set"
    argv = [*argv, "--output", str(root)]
    stop = IN_SIMULATE[place], signal.SIGKILL
    assert run_until(*stop, tmp_path / "log", main, argv) == -signal.SIGKILL
    assert not (root / "manifest.json").exists()
    before = finished_files(root)
    assert main([*argv, "--resume"]) == 0
    check_whole(root, before, whole, "manifest.json")


def test_simulate_interrupted(simulated, tmp_path):
    argv, whole = simulated
    root = tmp_path / "set"
    argv = [*argv, "--output", str(root)]
    assert run_until(8, signal.SIGINT, tmp_path / "log", main, argv) == 130
    assert (tmp_path / "log").read_text().splitlines()[-1].startswith("cryoccd: interrupted; ")
    assert not list(root.rglob(".*.part*"))
    before = finished_files(root)
    assert len(before) == 4
    assert main(argv) == 2  # not without --resume
    assert main([*argv, "--resume"]) == 0
    check_whole(root, before, whole, "manifest.json")


@pytest.fixture(scope="module")
def translated(folders, checkpoint, tmp_path_factory):
    root = tmp_path_factory.mktemp("translate")
    paths = ["--checkpoint", str(checkpoint), "--input", str(folders["simulated"])]
    argv = ["translate", *paths, "--seed", "3"]
    assert main([*argv, "--output", str(root / "whole")]) == 0
    return argv, root / "whole"


@pytest.mark.parametrize("place", IN_TRANSLATE)
def test_translate_killed(place, translated, tmp_path):
    argv, whole = translated
    root = tmp_path / "set"
    argv = [*argv, "--output", str(root)]
    stop = IN_TRANSLATE[place], signal.SIGKILL
    assert run_until(*stop, tmp_path / "log", main, argv) == -signal.SIGKILL
    before = finished_files(root)
    assert main([*argv, "--resume"]) == 0
    check_whole(root, before, whole, "manifest.json")


def test_translate_interrupted(translated, tmp_path):
    argv, whole = translated
    root = tmp_path / "set"
    argv = [*argv, "--output", str(root)]
    assert run_until(9, signal.SIGINT, tmp_path / "log", main, argv) == 130
    before = finished_files(root)
    assert len(before) == 4
    assert main([*argv, "--resume"]) == 0
    check_whole(root, before, whole, "manifest.json")


STYLE = replace(
    STYLES["thin_ice"],
    ingredients=(Ingredient("dot", 1, 60),),
    particles_per_um2=4000,
    shape_px=(64, 64),
)


def dot(species, flex):
    positions_A = np.random.default_rng(1).normal(0, 12, (400, 3))
    return Atoms(positions_A, ("C",) * 400, np.zeros(400))


def oracle(root):
    write_oracle(STYLE, root, n_train=2, n_test=1, seed=5, atoms_of=dot)


@pytest.fixture(scope="module")
def whole_oracle(tmp_path_factory):
    root = tmp_path_factory.mktemp("oracle") / "whole"
    oracle(root)
    return root


@pytest.mark.parametrize("place", IN_ORACLE)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_oracle_stopped(place, number, whole_oracle, tmp_path):
    root = tmp_path / "set"
    assert run_until(IN_ORACLE[place], number, tmp_path / "log", oracle, root) != 0
    assert not (root / "oracle.json").exists()
    before = finished_files(root)
    oracle(root)
    check_whole(root, before, whole_oracle, "oracle.json")
    for name in ("split.csv", "optics.yaml", "truth.parquet"):
        assert (root / name).read_bytes() == (whole_oracle / name).read_bytes()


def short(fit):
    """The command line of a fit of three epochs."""
    return [
        *fit(method="cryogem", demo=True, batch_size=4, images_per_epoch=8),
        "--model.init_args.constant_images=16",
        "--model.init_args.decay_images=8",
    ]


@pytest.mark.parametrize("place", IN_FIT)
def test_fit_killed_as_it_saves(place, fit, tmp_path):
    argv, checkpoint = short(fit), tmp_path / "run/last.ckpt"
    stop = IN_FIT[place], signal.SIGKILL
    assert run_until(*stop, tmp_path / "log", main, argv) == -signal.SIGKILL
    assert torch.load(checkpoint, weights_only=True)["images_seen"] == 8
    assert main(argv) == 0
    assert torch.load(checkpoint, weights_only=True)["images_seen"] == 24


def test_fit_interrupted(fit, tmp_path):
    """The batch is finished, the same command goes on from the next one."""
    argv = short(fit)
    assert run_until(NEVER, signal.SIGKILL, tmp_path / "log", fit_and_interrupt, argv) == 130
    shown = (tmp_path / "log").read_text().splitlines()
    assert shown[-1].startswith("cryoccd: interrupted; ")
    checkpoint = tmp_path / "run/last.ckpt"
    assert torch.load(checkpoint, weights_only=True)["images_seen"] == 12
    assert main(argv) == 0
    assert torch.load(checkpoint, weights_only=True)["images_seen"] == 24


def fit_and_interrupt(argv):
    """Ctrl-C in the third batch, which is in the second epoch."""
    import os

    from cryoccd.callbacks.budget import TrainingBudget

    count = TrainingBudget.on_train_batch_end

    def interrupt(self, trainer, module, *more):
        count(self, trainer, module, *more)
        if module.images_seen == 12:
            os.kill(os.getpid(), signal.SIGINT)

    TrainingBudget.on_train_batch_end = interrupt
    return main(argv)
