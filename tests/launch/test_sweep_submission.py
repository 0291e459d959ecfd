"""What a sweep asks of SLURM, with a queue that only takes notes (see test_slurm.py for a real)."""

import itertools
import os
import re
from pathlib import Path

import pytest
from sweeps import write_sweep

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.launch.sweep import slurm, worker
from cryoccd.launch.sweep.config import Resources
from cryoccd.launch.sweep.job import Job


@pytest.fixture
def queue(monkeypatch) -> dict[str, str]:
    """Scripts by the number that they got; squeue lists those that are still in it."""
    scripts: dict[str, str] = {}
    numbers = itertools.count(1)

    def ask(words):
        if words[0] == "sbatch":
            number = str(next(numbers))
            scripts[number] = Path(words[-1]).read_text()
            return f"{number};mini\n"
        lines = []
        for number, text in scripts.items():
            name = re.search("--job-name=(.*)", text)[1]
            last = re.search(r"--array=0-(\d+)", text)
            tasks = range(int(last[1]) + 1) if last else ["N/A"]
            lines += [f"{name}|{number}|{task}" for task in tasks]
        return "\n".join([*lines, "cryoccd.other.abc|9|0", "shell|10|N/A"])

    monkeypatch.setattr(slurm, "_ask", ask)
    return scripts


def issue(tmp_path, **file) -> int:
    path = write_sweep(tmp_path, **file)
    return main(["sweep", f"--config={path}", f"--runs={tmp_path}/runs", "--cluster=slurm"])


def test_one_array_and_a_reduction_after_it(queue, tmp_path, capsys):
    resources = {"hours": 1.51, "gpus": 2, "memory_GB": 3, "partition": "gpu", "nodes": 2}
    resources |= {"cpus": 4, "tasks_per_node": 2, "sbatch": ["--account=cryo"]}
    file = {"axes": {"grid": {"a": [1, 2, 3]}}, "reduce": "fit", "resources": resources}
    assert issue(tmp_path, **file) == 0
    array, reduce = queue.values()
    for option in ("--array=0-2", "--time=91", "--gres=gpu:2", "--mem=3072M", "--partition=gpu"):
        assert f"#SBATCH {option}\n" in array
    for option in ("--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=4", "--account=cryo"):
        assert f"#SBATCH {option}\n" in array
    assert "#SBATCH --requeue\n" in array
    assert "#SBATCH --dependency=afterany:1\n" in reduce
    assert "--gres" not in reduce
    assert "#SBATCH --nodes=1\n" in reduce
    assert issue(tmp_path, **file) == 0  # nothing twice
    assert len(queue) == 2
    assert "ticks: 3 queued" in capsys.readouterr().out
    assert issue(tmp_path, **file | {"axes": {"grid": {"a": [1, 2, 3, 4]}}}) == 0
    assert "#SBATCH --array=0-0\n" in queue["3"]
    assert "#SBATCH --dependency=afterany:1:3\n" in queue["4"]  # also of what is queued
    del queue["1"], queue["3"]  # both gone, before any job began
    assert issue(tmp_path, **file) == 0
    assert sorted(queue) == ["2", "4", "5", "6"]


def test_a_table_has_a_job_for_each_column(queue, tmp_path, capsys):
    argv = ["table", "fid", "--profile=smoke", "--methods=gaussian", "--cluster=slurm"]
    argv += [f"--results={tmp_path}/results", f"--runs={tmp_path}/runs"]
    assert main(argv) == 0
    folder = tmp_path / "runs/sweep/table-fid-smoke"
    assert sorted(path.parent.name for path in folder.glob("*/job.yaml")) == [
        "reduce",
        "styles-low_dose",
        "styles-thin_ice",
    ]
    assert "#SBATCH --array=0-1\n" in queue["1"]
    reduction = (folder / "reduce/job.yaml").read_text()
    assert "- --styles=thin_ice,low_dose\n- --allow-missing\n" in reduction
    assert "- --methods=gaussian\n" in (folder / "styles-thin_ice/job.yaml").read_text()
    assert "cluster" not in reduction
    assert main(argv) == 0
    assert len(queue) == 2


def test_no_cluster_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert issue(tmp_path) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert "squeue is not there" in error


def test_a_command_on_a_cluster_runs_under_srun(monkeypatch, tmp_path):
    job = Job("a", tmp_path, ["cryoccd"], resources=Resources(cpus=3))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert worker._srun(job) == ()
    for name, value in (("JOB_ID", "7"), ("ARRAY_JOB_ID", "5"), ("ARRAY_TASK_ID", "2")):
        monkeypatch.setitem(os.environ, f"SLURM_{name}", value)
    assert worker._srun(job)[-1] == "--cpus-per-task=3"
    assert worker._slurm_id() == "5_2"


def test_what_slurm_refuses_is_told():
    with pytest.raises(CryoccdError, match="false: exit code 1"):
        slurm._ask(["false"])
