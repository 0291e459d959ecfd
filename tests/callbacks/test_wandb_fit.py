"""A fit that is tracked by W&B, offline: what its files say, and that nothing else is written."""

import io
import json
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from fits import log, saved
from PIL import Image
from wandb_files import read, runs_below

from cryoccd.callbacks.wandb_gallery import KEY
from cryoccd.callbacks.wandb_logger import RunLogger
from cryoccd.cli import main
from cryoccd.methods.cryogem import CryoGEM

CONFIGS = Path(__file__).parents[2] / "configs"
LOGGER = CONFIGS / "trainer/logger-wandb.yaml"
REPORT = (
    "--noise_report.every_n_images=4",
    "--noise_report.micrographs=2",
    "--noise_report.crop_px=32",
    "--noise_report.crops_per_micrograph=2",
    "--noise_report.figures=[psd_background_db,skew_error]",
)


@pytest.fixture
def tracked(command, home):
    """The command line of a tracked fit; `home` has no login."""
    return lambda *given: with_logger(command(*given, *REPORT))


def with_logger(argv: list[str]) -> list[str]:
    """The configuration of the logger stands behind the others and before all settings."""
    last = max(i for i, word in enumerate(argv) if word.startswith("--config"))
    return [*argv[: last + 1], f"--config={LOGGER}", *argv[last + 1 :]]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.array(picture)


def killed_after(images: int, argv: list[str]) -> None:
    """Run a fit that dies before the step after so many images."""
    step = CryoGEM.training_step

    def dies(self, batch, batch_idx):
        if self.images_seen == images:
            raise RuntimeError("killed")
        return step(self, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CryoGEM, "training_step", dies)
        with pytest.raises(RuntimeError, match="killed"):
            main(argv)


@pytest.fixture(scope="module")
def whole(crowded, tmp_path_factory) -> tuple[Path, str]:
    """The folder above a tracked fit, with nothing else in it, and what the fit told."""
    root = tmp_path_factory.mktemp("whole")
    data = {"simulated": str(crowded[0]), "real": str(crowded[1])}
    data |= {"crop_px": 64, "batch_size": 4, "images_per_epoch": 8}
    module = {"class_path": "cryoccd.data.datamodule.CryoDataModule", "init_args": data}
    settings = tmp_path_factory.mktemp("settings") / "data.yaml"
    settings.write_text(yaml.safe_dump({"data": module}))
    names = ("method/cryogem", "method/demo/cryogem", "trainer/cpu")
    argv = [f"--config={path}" for path in (*(CONFIGS / f"{n}.yaml" for n in names), settings)]
    argv += [
        "--model.init_args.constant_images=16",
        "--model.init_args.decay_images=0",
        "--trainer.log_every_n_steps=1",
        f"--trainer.default_root_dir={root / 'run'}",
        f"--trainer.logger.init_args.save_dir={root / 'run'}",
        "--tracking.galleries=2",
        "--tracking.crops=3",
    ]
    told = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told):
        for name in [n for n in os.environ if n.startswith(("WANDB_", "XDG_", "NETRC"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(root / "home"))
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert main(["fit", *with_logger(argv), *REPORT]) == 0
        assert not list(Path.cwd().iterdir())
    return root, told.getvalue()


def test_the_files_say_what_was_fitted(whole):
    root, told = whole
    folder = root / "run"
    [run] = runs_below(root)

    assert (run.project, run.group, run.job_type) == ("cryoccd", "cryogem", "fit")
    style = run.config["style"]
    assert run.name == f"cryogem · {style} · seed 0"
    assert run.tags == (style, "seed 0")
    written = yaml.safe_load((folder / "config.yaml").read_text())
    own = {"method", "style", "seed", "commit", "version", "_wandb"}
    assert {k: v for k, v in run.config.items() if k not in own} == written
    assert run.config["model"]["init_args"]["optimizer"]["init_args"]["betas"] == [0.5, 0.999]
    assert len(run.config["commit"].removesuffix("-dirty")) == 40

    assert run.metrics["*"].step_metric == "train/images"
    assert [(row["train/images"], row["_step"]) for row in run.rows] == [
        (n, n) for n in (4, 8, 12, 16)
    ]
    assert not any("global_step" in key or key == "epoch" for row in run.rows for key in row)
    table = log(folder)  # is written as without W&B
    for name in ("train/loss_nce", "val/psd_background_db", "val/skew_error"):
        assert [row[name] for row in run.rows] == pytest.approx(table[name].dropna().tolist())
    least = min(row["val/psd_background_db"] for row in run.rows)
    assert run.summary["val/psd_background_db"] == {"min": least}
    off = [abs(row["val/skew_error"]) for row in run.rows]  # signed: its distance counts
    assert run.summary["val/skew_error_off"]["min"] == pytest.approx(min(off))
    assert not isinstance(run.summary["val/skew_error"], dict)

    [line] = [line for line in told.splitlines() if line.startswith("W&B")]
    assert Path(line.split("wandb sync ")[1]) == run.path.parent


def test_pictures_are_few_and_small(whole):
    root, _ = whole
    [run] = runs_below(root)
    shown = [row["train/images"] for row in run.rows if f"{KEY}.path" in row]
    assert shown == [8, 16]  # two of four reports, the last among them
    assert {artifact.type for artifact in run.artifacts} == {"run_table"}
    last = {entry.path: entry for entry in run.artifacts[-1].manifest.contents}
    table = json.loads(Path(last["gallery.table.json"].local_path).read_text())
    assert table["columns"] == ["clean", "translated", "real"]
    assert len(table["data"]) == 3
    for row in table["data"]:
        greys = [pixels(Path(last[cell["path"]].local_path)) for cell in row]
        assert [(grey.shape, grey.dtype) for grey in greys] == [((64, 64), np.uint8)] * 3
        assert all(len(np.unique(grey)) > 50 for grey in greys)
    first = {entry.path: entry.digest for entry in run.artifacts[0].manifest.contents}
    kept = {path for path, entry in last.items() if first.get(path) == entry.digest}
    assert len(kept) == 6  # clean and real are the same, the translations are not

    files = [path for path in (root / "run/wandb").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 200_000
    # incompressible: 9 crops and the table's text, twice
    data = [path for path in files if "/data/" in str(path)]
    assert sum(path.stat().st_size for path in data) < 2 * (9 * (64 * 64 + 500) + 8000)
    endings = {"", ".json", ".log", ".wandb"}
    assert {path.suffix for path in files} <= endings


def test_nothing_is_written_elsewhere_or_told_of_the_machine(whole):
    root, _ = whole
    assert [path.name for path in root.iterdir()] == ["run"]  # and no home
    [run] = runs_below(root)
    assert run.host == ""
    assert not run.kinds & {"environment", "output", "output_raw", "stats"}
    files = [path.name for path in (root / "run").rglob("*") if path.is_file()]
    assert not [n for n in files if n.endswith((".py", ".diff", ".txt", "metadata.json"))]


def test_a_killed_fit_goes_on_in_its_run(tracked, home, tmp_path):
    """It repeats images 12 of its second epoch; the log does not."""
    argv = tracked(
        "run", "cryogem", "--tracking.galleries=0", "--model.init_args.constant_images=24"
    )
    killed_after(12, argv)
    assert saved(tmp_path / "run")["images_seen"] == 8
    [first] = runs_below(tmp_path)
    lowest = first.summary["val/psd_background_db"]["min"]
    record = json.loads((tmp_path / "run/wandb.json").read_text())
    record["best"]["val/psd_background_db"] = 0.001  # as if an early report had been the best
    (tmp_path / "run/wandb.json").write_text(json.dumps(record))
    assert main(argv) == 0
    parts = runs_below(tmp_path)
    assert len(parts) == 2
    assert {run.id for run in parts} == {first.id}
    seen = [row["train/images"] for run in parts for row in run.rows]
    assert seen == [4, 8, 12, 16, 20, 24]
    assert lowest > 0.001
    assert parts[1].summary["val/psd_background_db"] == {"min": 0.001}


def test_tracking_changes_nothing_and_can_begin_later(command, home, tmp_path, monkeypatch, capsys):
    """A run that was begun without W&B goes on with it, to the same weights."""
    monkeypatch.chdir(tmp_path)  # the same words twice, in two places
    plain = command("run", "cryogem", "--average.decay=0.5", *REPORT)
    assert main(plain) == 0
    first = saved(tmp_path / "run")["state_dict"]
    (tmp_path / "run").rename(tmp_path / "plain")

    killed_after(12, plain)
    assert main(with_logger(plain)) == 0  # the run of the same configuration, but for the logger
    [run] = runs_below(tmp_path)
    assert [row["train/images"] for row in run.rows] == [12, 16]
    for name, value in saved(tmp_path / "run")["state_dict"].items():
        assert torch.equal(value, first[name]), name
    capsys.readouterr()
    assert main([*with_logger(plain), "--model.init_args.snr=0.2"]) == 2
    assert "another configuration" in capsys.readouterr().err


def test_a_rarer_report_may_have_no_value_yet(home, tmp_path):
    logger = RunLogger(str(tmp_path / "run"), run_name="n", group="g", tags=[])
    logger.expect({"val/psd_background_db": "min", "val/auprc": "max"})
    for images, values in (
        (4, {"val/psd_background_db": 2.0}),
        (8, {"val/psd_background_db": 3.0}),
    ):
        logger.put(images, values)
    logger.put(12, {"val/auprc": 0.5})
    logger.finalize("success")
    [run] = runs_below(tmp_path)
    assert [row["train/images"] for row in run.rows] == [4, 8, 12]
    assert run.summary["val/psd_background_db"] == {"min": 2.0}
    assert run.summary["val/auprc"] == {"max": 0.5}


def test_one_of_two_processes_tracks(command, home, tmp_path):
    forked = ("--trainer.devices=2", "--trainer.strategy=ddp_fork_find_unused_parameters_true")
    argv = with_logger(command("run", "cryogem", *forked, *REPORT, batch_size=2))
    assert main(argv) == 0
    [run] = runs_below(tmp_path)
    assert [row["train/images"] for row in run.rows] == [4, 8, 12, 16]
    assert all("val/psd_background_db" in row for row in run.rows)
    assert len(run.artifacts) == 4


def test_a_killed_process_has_its_log(tmp_path, home):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cryoccd.callbacks.wandb_run import files_within, open_run\n"
        "folder = Path(sys.argv[1])\n"
        "with files_within(folder):\n"
        "    run = open_run(folder, 'offline', id='abc', project='p')\n"
        "    run.log({'loss': 1.0}, step=8, commit=True)\n"
        "    sys.stdin.read()\n"  # until it is killed
    )
    words = [sys.executable, "-c", code, str(tmp_path / "run")]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        last = time.monotonic() + 60
        while not logged(tmp_path) and process.poll() is None and time.monotonic() < last:
            time.sleep(0.2)
        process.kill()
    assert process.returncode == -9
    assert logged(tmp_path) == [(8, 1.0)]


def logged(folder: Path) -> list[tuple[int, float]]:
    return [(row["_step"], row["loss"]) for run in runs_below(folder) for row in run.rows]


def test_the_reader_agrees_with_wandb(whole):
    """What tests/wandb_files.py reads of an internal format is what wandb itself does."""
    root, _ = whole
    [run] = runs_below(root)
    words = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(run.path.parent)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in shown.splitlines()]
    steps = [row for row in rows if "history" in json.dumps(row)]
    assert len(steps) == len(run.rows) == 4
    assert read(run.path) == run
