"""docs/training.md: its commands run, with the options that it names."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from cryoccd.cli import main
from cryoccd.methods.cryogem import CryoGEM

PAGE = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf8")
COMMANDS = re.findall(r"^    (cryoccd fit .*)$", PAGE.replace("\\\n", " "), re.M)
OPTIONS = re.findall(r"`(--[\w.]+=[^`]+)`", PAGE)
ELSEWHERE = ("=16-mixed", "compile", "ckpt_path", "strategy")  # a GPU, a compiler, another run
SHORT = ("--model.init_args.constant_images=8", "--model.init_args.decay_images=0")


@pytest.fixture
def words(tmp_path, toy_folders):
    """The words of a command of the page, on small folders."""
    folders = dict(zip(("simulated", "real"), map(str, toy_folders), strict=True))
    data = {
        "class_path": "cryoccd.data.datamodule.CryoDataModule",
        "init_args": folders | {"crop_px": 64, "batch_size": 2, "images_per_epoch": 8},
    }
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"data": data}))

    def placed(command: str) -> list[str]:
        text = command.replace("configs/data/demo.yaml", str(tmp_path / "data.yaml"))
        return [*shlex.split(text.replace("=RUN", f"={tmp_path / 'RUN'}"))[1:], *SHORT]

    return placed


def test_a_run_with_all_options_leaves_what_the_page_says(words, tmp_path):
    options = [word for word in OPTIONS if not any(part in word for part in ELSEWHERE)]
    assert len(options) == 7
    assert main([*words(COMMANDS[0]), *options]) == 0
    checkpoint = torch.load(tmp_path / "RUN/last.ckpt", weights_only=True)
    assert "current_model_state" in checkpoint
    files = {path.relative_to(tmp_path / "RUN").as_posix() for path in tmp_path.glob("RUN/**/*.*")}
    table = re.findall(r"^\| `([\w./]+)` \|", PAGE, re.M)
    assert set(table) - files == {"nonfinite_IMAGES_RANK.pt"}

    again = tmp_path / "again"
    place = [f"--trainer.default_root_dir={again}", f"--trainer.logger.init_args.save_dir={again}"]
    assert main(["fit", f"--config={tmp_path / 'RUN/config.yaml'}", *place]) == 0
    repeated = torch.load(again / "last.ckpt", weights_only=True)["state_dict"]
    for name, value in checkpoint["state_dict"].items():
        assert torch.equal(value, repeated[name]), name


def test_the_report_is_made_and_its_best_checkpoint_tested(words, tmp_path, toy_folders):
    report = COMMANDS[1].replace("validation=8", "validation=2").replace("=800", "=4")
    small = ["--noise_report.micrographs=2", "--noise_report.crop_px=32"]
    assert main([*words(report), *small]) == 0
    logged = pd.read_csv(tmp_path / "RUN/logs/version_0/metrics.csv").filter(like="val/")
    assert logged.notna().sum().tolist() == [2] * 4
    [command] = re.findall(r"^    (cryoccd test .*)$", PAGE, re.M)
    places = {"RUN": tmp_path / "RUN", "SIMULATED": toy_folders[0], "REAL": toy_folders[1]}
    for name, place in places.items():
        command = command.replace(f"={name}", f"={place}")
    assert main(shlex.split(command)[1:]) == 0
    figures = json.loads((tmp_path / "RUN/test.json").read_text())["metrics"]
    assert set(figures) == {name.removeprefix("val/") for name in logged}


def test_two_processes_run_as_the_page_says(words, tmp_path):
    forked = "--trainer.strategy=ddp_fork_find_unused_parameters_true"  # the tests are no script
    assert main([*words(COMMANDS[2]), forked]) == 0
    assert torch.load(tmp_path / "RUN/last.ckpt", weights_only=True)["images_seen"] == 8


def test_the_batch_of_a_nonfinite_loss_is_read(words, tmp_path, monkeypatch):
    step = CryoGEM.training_step

    def spoilt(self, batch, batch_idx):
        batch.real[0] = float("nan")
        step(self, batch, batch_idx)

    monkeypatch.setattr(CryoGEM, "training_step", spoilt)
    assert main(words(COMMANDS[0])) == 2
    [line] = re.findall(r"^    (torch\.load.*)$", PAGE, re.M)
    line = line.replace("RUN/nonfinite_5120_0", f"{tmp_path}/RUN/nonfinite_0_0")
    assert eval(line).tolist() == [False, True]
