"""Sweeps on this machine: nothing lost, nothing twice, whatever ends when."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import sweeps
from sweeps import ROOT, TICK, count, lines, write_sweep

from cryoccd.cli import main
from cryoccd.launch.sweep import devices, expand
from cryoccd.launch.sweep.state import read_record

LAUNCHER = f"""
import sys
from cryoccd.launch.sweep import expand
expand.PROGRAM = [sys.executable, "-c", {TICK!r}]
from cryoccd.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def this_package(monkeypatch):
    """Processes that begin in another folder import what is tested."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Write a sweep and run it; its exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(expand, "PROGRAM", [sys.executable, "-c", TICK])

    def run(*words: str, jobs: int = 2, **file: object) -> int:
        path = write_sweep(tmp_path, **file)
        return main(["sweep", "--config", str(path), "--jobs", str(jobs), *words])

    return run


def names(*values: object) -> dict:
    return {"grid": {"name": list(values)}}


def folder(tmp_path, name):
    return tmp_path / "runs/sweep/ticks" / name


def test_finished_jobs_are_skipped_and_changed_ones_run_anew(sweep, tmp_path):
    file = {"axes": names("a", "b"), "command": "fit --seconds=0"}
    assert sweep(**file) == 0
    assert count(tmp_path, "end") == {"a": 1, "b": 1}
    done = read_record(folder(tmp_path, "name-a") / "done.json")
    assert {"hash", "version", "commit", "seconds", "host"} <= set(done)
    (folder(tmp_path, "name-a") / "last.ckpt").write_text("of the old job")
    assert sweep(**file) == 0
    assert count(tmp_path, "end") == {"a": 1, "b": 1}
    assert sweep(**file | {"axes": names("b", "c", "a")}) == 0
    assert count(tmp_path, "end") == {"a": 1, "b": 1, "c": 1}
    assert sweep(**file | {"command": "fit --seconds=0.0"}) == 0
    assert count(tmp_path, "end") == {"a": 2, "b": 2, "c": 1}
    assert not (folder(tmp_path, "name-a") / "last.ckpt").exists()


def test_a_job_runs_again_where_what_it_made_is_gone(sweep, tmp_path, capsys):
    file = {"axes": names("a"), "makes": ["lines.txt"]}
    assert sweep(**file) == 0
    (tmp_path / "lines.txt").unlink()
    assert sweep(**file) == 0
    assert count(tmp_path, "end") == {"a": 1}
    assert sweep(**file | {"makes": ["nowhere.json"]}) == 2
    assert "has not made nowhere.json" in capsys.readouterr().out


def test_failed_jobs_are_listed_and_wait_for_retry(sweep, tmp_path, capsys):
    file = {"axes": {"list": [{"name": "good"}, {"name": "bad", "code": 3}]}}
    file["reduce"] = "fit --name=reduced"
    assert sweep(**file) == 2
    shown = capsys.readouterr()
    assert "failed: code-3__name-bad (exit code 3, on " in shown.out
    assert "    this is bad\n    threads 1\n" in shown.out
    assert "this is reduced" in shown.out  # also where a job failed
    [error] = shown.err.splitlines()
    assert error.startswith("cryoccd: error: ticks: 1 of 2 jobs are not finished; ")
    assert sweep(**file) == 2
    assert "failed: code-3__name-bad" in capsys.readouterr().out
    assert count(tmp_path, "end") == {"good": 1, "bad": 1, "reduced": 1}
    assert sweep("--retry", **file) == 2
    assert count(tmp_path, "end") == {"good": 1, "bad": 2, "reduced": 1}


def test_the_reduction_runs_after_every_change_and_not_without(sweep, tmp_path):
    file = {"axes": names("a"), "reduce": "fit --name=reduced"}
    for expected in (1, 1):
        assert sweep(**file) == 0
        assert count(tmp_path, "end")["reduced"] == expected
    assert sweep(**file | {"axes": names("a", "b")}) == 0
    assert count(tmp_path, "end") == {"a": 1, "b": 1, "reduced": 2}


def test_a_killed_job_is_listed_and_goes_on(sweep, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        expand, "PROGRAM", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    )
    assert sweep(axes=names("a")) == 2
    shown = capsys.readouterr()
    assert "stopped: name-a (exit code 137, on " in shown.out
    assert "the same command continues" in shown.err


def test_a_dry_run_tells_all_and_starts_nothing(sweep, tmp_path, capsys):
    resources = {"hours": 1.5, "disk_GB": 10, "memory_GB": 3, "cpus": 2}
    file = {"axes": names("a", "b", "c"), "resources": resources, "reduce": "fit --name=reduced"}
    assert sweep("--dry-run", **file) == 0
    shown = capsys.readouterr().out
    assert "3 jobs, 3 to run: at most 4.5 node hours, 30 GB on disk; each 3 GB" in shown
    assert not (tmp_path / "runs").exists()
    assert sweep(**file | {"axes": names("a")}) == 0
    capsys.readouterr()
    assert sweep("--dry-run", **file) == 0
    assert "skip  finished  name-a" in capsys.readouterr().out
    assert count(tmp_path, "begin") == {"a": 1, "reduced": 1}


def launch(tmp_path, path, *words) -> "subprocess.Popen[str]":
    argv = ["sweep", "--config", str(path), "--jobs", "3", *words]
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, *argv],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def alone(tmp_path) -> None:
    """No job runs twice at one time: between its begin and its end it does not begin."""
    running = set()
    for what, name, _ in lines(tmp_path):
        if what == "begin":
            assert name not in running
            running.add(name)
        else:
            running.discard(name)


def test_a_launcher_killed_at_any_moment_loses_nothing_and_runs_nothing_twice(tmp_path):
    chance = random.Random(9)
    path = write_sweep(
        tmp_path, axes=names(*(f"j{i}" for i in range(9))), command="fit --seconds=0.7"
    )
    for _ in range(5):
        launcher = launch(tmp_path, path)
        time.sleep(chance.uniform(0.3, 2.5))
        launcher.kill()
        launcher.communicate()
    two = [launch(tmp_path, path), launch(tmp_path, path)]  # and two at one time
    told = [each.communicate(timeout=120)[0] for each in two]
    assert [each.returncode for each in two] == [0, 0], told
    assert count(tmp_path, "end") == {f"j{i}": 1 for i in range(9)}
    assert count(tmp_path, "begin") == count(tmp_path, "end")
    alone(tmp_path)


def test_one_interrupt_stops_all_and_the_same_command_continues(tmp_path):
    path = write_sweep(tmp_path, axes=names("a", "b"), command="fit --seconds=60")
    launcher = launch(tmp_path, path)
    latest = time.monotonic() + 60
    while len(lines(tmp_path)) < 2 and time.monotonic() < latest:
        time.sleep(0.1)
    launcher.send_signal(signal.SIGINT)
    told, _ = launcher.communicate(timeout=60)
    assert launcher.returncode == 130, told
    assert count(tmp_path, "interrupted") == {"a": 1, "b": 1}
    states = launch(tmp_path, path, "--dry-run").communicate()[0]
    assert states.count("run   stopped") == 2


@pytest.mark.parametrize(("given", "jobs", "expected"), [("0,1,2", None, 3), ("0,1,2", 2, 2)])
def test_each_place_has_its_gpus(given, jobs, expected, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(16), raising=False)
    one = expand.Resources(gpus=1)
    places = devices.slots(one, jobs)
    assert [place["CUDA_VISIBLE_DEVICES"] for place in places] == ["0", "1", "2"][:expected]
    with pytest.raises(Exception, match="this machine has 3"):
        devices.slots(expand.Resources(gpus=4), None)
    with pytest.raises(Exception, match="needs a cluster"):
        devices.slots(expand.Resources(nodes=2), None)
    assert len(devices.slots(expand.Resources(cpus=4), None)) == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml: no such sweep file"),
        (["--config", "{}", "--jobs", "0"], "jobs = 0, expected 1 or more"),
        (["--config", "{}", "--cluster", "cloud"], "cloud"),
        (["--config", "{}", "--set", "axes.grdi=1"], "axes.grdi"),
        ([], "config"),
    ],
)
def test_a_fault_of_the_command_line_is_one_line(words, told, tmp_path, capsys):
    path = write_sweep(tmp_path)
    assert main(["sweep", *(word.format(path) for word in words)]) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert error.startswith("cryoccd: error: ")
    assert told in error
    assert sweeps.lines(tmp_path) == []
