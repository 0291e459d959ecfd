"""Sweeps on a real SLURM: an array, a preempted job, a killed one, a fit over two nodes."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mini_slurm
import pytest
import yaml
from fits import log, saved
from sweeps import ROOT

from cryoccd.cli import main
from cryoccd.launch.sweep.slurm import ALIVE
from cryoccd.launch.sweep.state import read_record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def slurm():
    """A cluster of two nodes."""
    if reason := mini_slurm.missing():
        pytest.skip(reason)
    root = Path(tempfile.mkdtemp(prefix="slurm"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(mini_slurm.start(root)))
            patch.setenv("PYTHONPATH", str(ROOT))
            patch.delenv("MASTER_ADDR", raising=False)  # the name n1 leads nowhere, as it may
            yield
    except RuntimeError as error:
        pytest.skip(str(error))
    finally:
        mini_slurm.stop(root)
        shutil.rmtree(root)


def ask(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def wait(true: Callable[[], object], seconds: float = 600) -> None:
    """Wait, and let SLURM begin requeued jobs soon and not after its two minutes.

    Not at once: a node refuses what begins in the second in which it has ended (job credentials
    are revoked by the second), and the job has failed.
    """
    latest = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < latest, ask("squeue")
        for line in ask("squeue", "--noheader", "--format=%i %r").splitlines():
            number, reason = line.split(maxsplit=1)
            if reason == "BeginTime":
                time.sleep(2)
                ask("scontrol", "update", f"JobId={number}", "StartTime=now")
        time.sleep(0.5)


def emptied() -> bool:
    """Whether the queue is empty, and stays so: a job on its way back is not shown for a moment."""
    for _ in range(8):
        if ask("squeue", "--noheader", f"--states={ALIVE}").strip():
            return False
        time.sleep(1)
    return True


def commands(*words: str) -> list[int]:
    """Processes of Python whose command line has these words."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "python" in Path(line[0]).name and all(word in line for word in words):
            found.append(int(place.name))
    return found


def told(folder: Path) -> str:
    """What a job, and SLURM of it, have said."""
    files = [folder / "ended.json", folder / "log.txt", *(folder.parent / "arrays").glob("*.log")]
    texts = [f"{file.name}:\n{file.read_text()}" for file in files if file.exists()]
    return "\n".join(["", *texts, ask("squeue", "--states=all")])


def preempt(folder: Path) -> None:
    """Send the notice to a job, and wait until it has ended for it.

    Where a job is gone, scancel waits for its next turn and sends the signal to that.
    """
    number = read_record(folder / "started.json")["slurm"]
    notice = subprocess.Popen(["scancel", "--signal=USR1", number])
    latest = time.monotonic() + 60
    while not (folder / "ended.json").exists() and time.monotonic() < latest:
        time.sleep(0.1)
    notice.kill()
    notice.wait()


def test_a_preempted_and_a_killed_job_end_in_the_whole_table(tmp_path, capsys):
    results, runs = tmp_path / "its results", tmp_path / "its (runs)"
    argv = ["sweep", "--config", "configs/sweep/smoke.yaml", "--cluster", "slurm", "--jobs", "2"]
    argv += ["--results", str(results), "--runs", str(runs)]
    folders = {
        (method, style): runs / f"sweep/smoke/methods-{method}__styles-{style}"
        for method in ("gaussian", "poisson_gaussian")
        for style in ("thin_ice", "low_dose")
    }
    preempted, killed = folders["gaussian", "thin_ice"], folders["gaussian", "low_dose"]
    assert main(argv) == 0
    assert "submitted 4 jobs as " in capsys.readouterr().out
    assert main(argv) == 0  # nothing twice
    assert "submitted" not in capsys.readouterr().out
    assert len(ask("squeue", "--noheader", "--array").splitlines()) == 5

    words = "table", "--methods=gaussian"
    wait(lambda: all(commands(*words, f"--styles={s}") for s in ("thin_ice", "low_dose")))
    [number] = commands(*words, "--styles=low_dose")
    os.kill(number, signal.SIGKILL)
    preempt(preempted)
    wait(emptied)

    assert (preempted / "log.txt").read_text().count("=== ") == 2, told(preempted)
    done = read_record(preempted / "done.json")
    assert (done["code"], done["turn"]) == (0, 2)
    assert not (killed / "done.json").exists()
    assert (results / "smoke/fid/table.md").exists()  # of the others

    capsys.readouterr()
    assert main(argv) == 0  # issued again
    shown = capsys.readouterr().out
    assert f"stopped: {killed.name} (exit code 137, on " in shown
    assert "3 finished" in shown
    assert "submitted 1 jobs as " in shown
    assert "\n    " in shown.partition("stopped: ")[2]  # the last lines of its log
    wait(emptied)
    assert main(argv) == 0
    shown = capsys.readouterr().out
    assert "smoke: 4 finished" in shown
    assert "submitted" not in shown
    table = (results / "smoke/fid/table.md").read_text()
    assert all(method in table for method in ("gaussian", "poisson_gaussian", "real_floor"))
    cells = list((results / "smoke/fid").glob("*gaussian__*.json"))
    assert len(cells) == 4


def test_a_fit_over_two_nodes_goes_on_where_it_was_preempted(tmp_path, toy_folders, capsys):
    module = {
        "class_path": "cryoccd.data.datamodule.CryoDataModule",
        "init_args": {
            "simulated": str(toy_folders[0]),
            "real": str(toy_folders[1]),
            "crop_px": 64,
            "batch_size": 2,
            "images_per_epoch": 16,
        },
    }
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"data": module}))
    files = ["method/sdedit", "method/demo/sdedit", str(tmp_path / "data"), "trainer/slurm"]
    paths = [f if f.startswith("/") else f"configs/{f}" for f in files]
    command = " ".join(f"--config={path}.yaml" for path in paths)
    command += " --trainer.accelerator=cpu --trainer.devices=1 --trainer.num_nodes=2"
    command += " --trainer.log_every_n_steps=1 --model.init_args.decay_images=0"
    sweep = {
        "name": "nodes",
        "command": f"fit {command}",
        "axes": {"grid": {"model.init_args.constant_images": [160]}},
        "resources": {"nodes": 2, "cpus": 1, "hours": 0.2},
    }
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    argv = ["sweep", "--config", str(tmp_path / "sweep.yaml"), "--cluster", "slurm"]
    argv += ["--runs", str(tmp_path / "runs")]
    assert main(argv) == 0
    folder = tmp_path / "runs/sweep/nodes/constant_images-160"
    wait((folder / "last.ckpt").exists)  # the first epoch is over
    preempt(folder)
    seen = saved(folder)["images_seen"]
    assert 16 <= seen < 160
    wait(emptied)
    assert (folder / "done.json").exists(), told(folder)
    assert read_record(folder / "done.json")["code"] == 0, told(folder)
    assert saved(folder)["images_seen"] == 160
    began, resumed = sorted(folder.glob("logs/*/metrics.csv"))
    assert min(log(folder)["train/images"].dropna()) == seen + 4  # the next batch of both
    assert "train/images" in began.read_text()
    assert resumed != began
    said = (folder / "log.txt").read_text()
    assert said.count("cryoccd: interrupted; ") == 1  # of two processes
    assert main(argv) == 0
    assert "nodes: 1 finished" in capsys.readouterr().out
