"""A sweep of W&B without its server: what an agent would run for drawn values is run."""

import math
import os
import random
import subprocess
from pathlib import Path

import pytest
import yaml
from wandb.sdk.launch.sweeps.utils import (
    create_sweep_command,
    create_sweep_command_args,
)
from wandb_files import runs_below

from cryoccd.cli import main
from cryoccd.metrics.standard import standard_figures

CONFIGS = Path(__file__).parents[2] / "configs"
SWEEP = CONFIGS / "sweep/wandb-fit.yaml"
SCRIPT = CONFIGS / "sweep/wandb-array.sh"


def drawn(sweep, seed: int) -> dict[str, object]:
    """Values as W&B's server might draw them."""
    source, found = random.Random(seed), {}
    for name, law in sweep["parameters"].items():
        if "values" in law:
            found[name] = source.choice(law["values"])
        else:
            assert law["distribution"] == "log_uniform_values"
            found[name] = math.exp(source.uniform(math.log(law["min"]), math.log(law["max"])))
    return found


def command(sweep, values: dict[str, object]) -> list[str]:
    """What wandb 0.31's agent makes of a sweep's command and of the values that it is sent."""
    told = create_sweep_command_args({"args": {k: {"value": v} for k, v in values.items()}})
    words = {"program": [sweep["program"]], "args": told["args"]}
    chunks = create_sweep_command(list(sweep["command"]))
    return [w for c in chunks for w in (words[c[2:-1]] if c.startswith("${") else [c])]


def test_the_metric_is_one_that_the_runs_log():
    sweep = yaml.safe_load(SWEEP.read_text())
    assert sweep["method"] in ("bayes", "random")
    figure = standard_figures()[sweep["metric"]["name"].removeprefix("val/")]
    assert (figure.ideal, sweep["metric"]["goal"]) == (0.0, "minimize")
    assert any(word.startswith("--noise_report.every_n_images=") for word in sweep["command"])


def test_a_fit_runs_with_what_an_agent_sends(home, tmp_path, toy_folders, monkeypatch):
    sweep = yaml.safe_load(SWEEP.read_text())
    values = drawn(sweep, 1)
    program, *argv = command(sweep, values)
    assert program == "cryoccd"
    folders = dict(zip(("simulated", "real"), map(str, toy_folders), strict=True))
    data = {"crop_px": 64, "batch_size": 4, "images_per_epoch": 8} | folders
    settings = {"class_path": "cryoccd.data.datamodule.CryoDataModule", "init_args": data}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"data": settings}))
    small = {
        "--config=configs/data/demo.yaml": f"--config={tmp_path / 'data.yaml'}",
        "--data.init_args.validation=8": "--data.init_args.validation=1",
        "--noise_report.every_n_images=400": "--noise_report.every_n_images=4",
    }
    assert small.keys() <= set(argv)
    argv = [small.get(word, word) for word in argv]
    (tmp_path / "configs").symlink_to(CONFIGS)
    monkeypatch.chdir(tmp_path)
    for name, value in (("RUN_ID", "abcd1234"), ("SWEEP_ID", "sweep"), ("MODE", "offline")):
        monkeypatch.setenv(f"WANDB_{name}", value)
    budget = ("constant_images=4", "decay_images=0")
    more = [f"--model.init_args.{each}" for each in budget]
    more += [f"--noise_report.{each}=1" for each in ("micrographs", "crops_per_micrograph")]
    more += ["--noise_report.crop_px=32", "--noise_report.figures=[psd_background_db]"]
    assert main([*argv, *more, "--tracking.galleries=0"]) == 0
    assert (tmp_path / "runs/wandb/abcd1234/last.ckpt").is_file()
    [run] = runs_below(tmp_path)
    assert run.id == "abcd1234"
    assert [row["train/images"] for row in run.rows] == [4]
    assert sweep["metric"]["name"] in run.rows[0]
    model = run.config["model"]["init_args"]
    assert model["optimizer"]["init_args"]["lr"] == pytest.approx(
        values["model.init_args.optimizer.init_args.lr"]
    )
    assert model["snr"] == values["model.init_args.snr"]
    assert run.config["seed_everything"] == values["seed_everything"]


def test_a_job_of_the_array_takes_one_run(tmp_path):
    fake = tmp_path / "wandb"
    fake.write_text('#!/bin/bash\nprintf "%s\\n" "$WANDB_DIR" "$@" > request\n')
    fake.chmod(0o755)
    known = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    environment = known | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    words = ["bash", str(SCRIPT), "lab/cryoccd/s1"]
    subprocess.run(words, cwd=tmp_path, env=environment, check=True)
    told = (tmp_path / "request").read_text().split("\n")[:-1]
    assert told == ["runs/wandb", "agent", "--count", "1", "lab/cryoccd/s1"]
    done = subprocess.run(words[:2], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sbatch --array=0-19")
