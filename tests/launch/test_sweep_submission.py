"""What a sweep asks of SLURM, with a queue that only takes notes (see test_slurm.py for a real)."""

import itertools
import json
import os
import re
import shlex
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console
from sweeps import write_sweep

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.io.lock import locked
from cryoccd.launch.sweep import slurm, worker
from cryoccd.launch.sweep.config import Resources, read_sweep
from cryoccd.launch.sweep.expand import expand
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.run import run_sweep


@pytest.fixture
def queue(monkeypatch) -> dict[str, str]:
    """Scripts by the number that they got; squeue lists those that are still in it."""
    scripts: dict[str, str] = {}
    numbers = itertools.count(1)

    def ask(words):
        if words[0] == "scontrol":
            return "Configuration data\nMaxArraySize            = 5\nMaxJobCount             = 9\n"
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


def issue(tmp_path, *words, **file) -> int:
    path = write_sweep(tmp_path, **file)
    argv = ["sweep", f"--config={path}", f"--runs={tmp_path}/runs", "--cluster=slurm", *words]
    return main(argv)


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
    assert "#SBATCH --dependency=afterany:1,singleton\n" in reduce
    assert "--gres" not in reduce
    assert "#SBATCH --nodes=1\n" in reduce
    assert issue(tmp_path, **file) == 0  # nothing twice
    assert len(queue) == 2
    assert "ticks: 3 queued" in capsys.readouterr().out
    assert issue(tmp_path, **file | {"axes": {"grid": {"a": [1, 2, 3, 4]}}}) == 0
    assert "#SBATCH --array=0-0\n" in queue["3"]
    assert "#SBATCH --dependency=afterany:1:3,singleton\n" in queue["4"]  # also of what is queued
    del queue["1"], queue["3"]  # both gone, before any job began
    assert issue(tmp_path, **file) == 0
    assert sorted(queue) == ["2", "4", "5", "6"]


@pytest.mark.parametrize("at_once", [None, 2])
def test_more_jobs_than_an_array_may_have_are_several(at_once, queue, tmp_path, capsys):
    file = {"axes": {"grid": {"a": list(range(12))}}, "reduce": "fit"}
    words = () if at_once is None else (f"--jobs={at_once}",)
    assert issue(tmp_path, *words, **file) == 0
    *arrays, reduce = queue.values()
    limit = "" if at_once is None else "%2"
    assert [re.search("--array=(.*)", text)[1] for text in arrays] == [
        f"0-4{limit}",
        f"0-4{limit}",
        f"0-1{limit}",
    ]
    after = [re.search("--dependency=(.*)", text) for text in arrays]
    told = [found and found[1] for found in after]
    assert told == ([None] * 3 if at_once is None else [None, "afterany:1", "afterany:2"])
    assert "#SBATCH --dependency=afterany:1:2:3,singleton\n" in reduce
    listed = [Path(line).name for text in arrays for line in jobs_of(text)]
    assert listed == [f"a-{value}" for value in range(12)]  # each once
    assert "submitted 12 jobs as 1, 2, 3, 4" in capsys.readouterr().out
    del queue["2"]
    assert issue(tmp_path, *words, **file) == 0
    [again] = [text for number, text in queue.items() if int(number) > 4 and "--array" in text]
    assert [Path(line).name for line in jobs_of(again)] == [f"a-{value}" for value in range(5, 10)]


def jobs_of(script: str) -> list[str]:
    """The folders that an array's script chooses from."""
    return Path(re.search(r"p\" (\S+\.txt)", script)[1]).read_text().splitlines()


def test_a_cluster_without_arrays_is_one_line(queue, tmp_path, monkeypatch, capsys):
    ask = slurm._ask
    none = "MaxArraySize            = 0\n"
    monkeypatch.setattr(slurm, "_ask", lambda w: none if w[0] == "scontrol" else ask(w))
    assert issue(tmp_path) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert "this cluster takes no arrays" in error
    assert not queue


def ended(tmp_path, job, **record) -> None:
    """A job's folder says that it has ended."""
    folder = tmp_path / "runs/sweep/ticks" / job
    name = "ended.json" if record["code"] else "done.json"
    (folder / name).write_text(json.dumps({"host": "n1", **record}))


def test_jobs_that_failed_are_told_and_wait_for_retry(queue, tmp_path, capsys):
    file = {"axes": {"grid": {"a": [1, 2]}}, "reduce": "fit"}
    assert issue(tmp_path, **file) == 0
    ended(tmp_path, "a-1", code=2)
    ended(tmp_path, "a-2", code=137)
    ended(tmp_path, "reduce", code=3)
    queue.clear()
    capsys.readouterr()
    assert issue(tmp_path, **file) == 0  # what was stopped goes on, and is reduced again
    shown = capsys.readouterr().out
    assert "failed: a-1 (exit code 2, on n1)" in shown
    assert "failed: reduce (exit code 3, on n1)" in shown
    assert "submitted 1 jobs as 3, 4" in shown
    ended(tmp_path, "a-2", code=2)
    del queue["3"]
    assert issue(tmp_path, **file) == 2  # nothing runs any more
    told = capsys.readouterr()
    assert "submitted" not in told.out
    assert "2 of 2 jobs are not finished; mend what they tell, then add --retry" in told.err
    queue.clear()
    assert issue(tmp_path, **file) == 2
    assert "submitted the reduction as 5; " in capsys.readouterr().out
    assert issue(tmp_path, "--retry", **file) == 0
    assert "submitted 2 jobs as 6, 7" in capsys.readouterr().out


def test_of_two_launchers_at_one_time_one_submits(queue, tmp_path, monkeypatch):
    ask, both = slurm._ask, threading.Barrier(2, timeout=30)
    asked = threading.local()

    def at_one_time(words):
        told = ask(words)
        if not hasattr(asked, "once"):
            asked.once = True
            both.wait()  # neither sees the other's array
        return told

    monkeypatch.setattr(slurm, "_ask", at_one_time)
    path = write_sweep(tmp_path, axes={"grid": {"a": [1, 2]}}, reduce="fit")
    sweep = expand(read_sweep(path), tmp_path / "results", tmp_path / "runs")
    with ThreadPoolExecutor(2) as pool:
        given = sweep, "slurm", None, False, False, Console()
        for launcher in [pool.submit(run_sweep, *given) for _ in range(2)]:
            launcher.result(timeout=60)
    assert sorted(queue) == ["1", "2"]


def test_a_reduction_that_runs_is_followed_by_that_of_new_jobs(queue, tmp_path):
    file = {"axes": {"grid": {"a": [1]}}, "reduce": "fit"}
    assert issue(tmp_path, **file) == 0
    with locked(tmp_path / "runs/sweep/ticks/reduce/running.lock"):
        assert issue(tmp_path, **file | {"axes": {"grid": {"a": [1, 2]}}}) == 0
    assert sorted(queue) == ["1", "2", "3", "4"]
    assert "--dependency=afterany:1:3,singleton\n" in queue["4"]


def test_places_with_blanks_are_one_word(queue, tmp_path, monkeypatch):
    place = tmp_path / "it's (a) $PLACE"
    place.mkdir()
    monkeypatch.chdir(place)
    assert issue(place, reduce="fit") == 0
    for script in queue.values():
        options = [line.removeprefix("#SBATCH ") for line in script.splitlines()[1:-1]]
        read = dict(shlex.split(option)[0].split("=", 1) for option in options if "=" in option)
        assert read["--chdir"] == str(place)
        assert read["--output"].startswith(f"{place}/runs/sweep/ticks/arrays/")
        assert all(len(shlex.split(option)) == 1 for option in options)
    assert shlex.split(queue["2"].splitlines()[-1])[-1] == f"{place}/runs/sweep/ticks/reduce"


def test_a_time_that_the_notice_fills_is_refused(queue, tmp_path, capsys):
    assert issue(tmp_path, resources={"hours": 0.05}) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert "resources.hours = 0.05, expected above 0.05: " in error
    assert not queue
    assert not (tmp_path / "runs").exists()


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
