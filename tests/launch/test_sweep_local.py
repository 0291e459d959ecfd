"""Sweeps on this machine: nothing lost, nothing twice, whatever ends when."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sweeps
from sweeps import ROOT, TICK, count, lines, write_sweep

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.io.lock import try_lock
from cryoccd.launch.sweep import devices, expand, state
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.state import LOCK, prepare, read_record

LAUNCHER = f"""
import sys
from cryoccd.launch.sweep import expand
expand.PROGRAM = [sys.executable, "-c", {TICK!r}]
from cryoccd.cli import main
sys.exit(main(sys.argv[1:]))
"""

KILLED_ONCE = """
import os, pathlib
once = pathlib.Path("once")
if not once.exists():
    once.touch()
    os.kill(os.getpid(), 9)
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
    monkeypatch.setattr(expand, "PROGRAM", [sys.executable, "-c", KILLED_ONCE])
    assert sweep(axes=names("a")) == 2
    shown = capsys.readouterr()
    assert "stopped: name-a (exit code 137, on " in shown.out
    assert "the same command continues" in shown.err
    assert sweep(axes=names("a")) == 0
    assert "1 finished" in capsys.readouterr().out


def test_a_dry_run_tells_all_and_starts_nothing(sweep, tmp_path, capsys):
    resources = {"hours": 1.5, "disk_GB": 10, "memory_GB": 3, "cpus": 2}
    file = {"axes": names("a", "b", "c"), "resources": resources, "reduce": "fit --name=reduced"}
    assert sweep("--dry-run", **file) == 0
    shown = capsys.readouterr().out
    assert "3 jobs, 3 to run: at most 4.5 node hours a turn, 30 GB on disk; each 3 GB" in shown
    assert not (tmp_path / "runs").exists()
    assert sweep(**file | {"axes": names("a")}) == 0
    capsys.readouterr()
    assert sweep("--dry-run", **file) == 0
    assert "skip  finished  name-a" in capsys.readouterr().out
    assert count(tmp_path, "begin") == {"a": 1, "reduced": 1}


def launch(tmp_path, path, *words, program: str = LAUNCHER) -> "subprocess.Popen[str]":
    argv = ["sweep", "--config", str(path), "--jobs", "3", *words]
    return subprocess.Popen(
        [sys.executable, "-c", program, *argv],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait(true: Callable[[], object], seconds: float = 60) -> None:
    latest = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < latest
        time.sleep(0.1)


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
    wait(lambda: len(lines(tmp_path)) == 2)
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
    with pytest.raises(CryoccdError, match="this machine has 3"):
        devices.slots(expand.Resources(gpus=4), None)
    with pytest.raises(CryoccdError, match="needs a cluster"):
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


def test_a_second_interrupt_ends_what_the_first_has_not(tmp_path):
    """Also where other jobs have ended for the first."""
    stubborn = TICK.replace("sys.exit(130)", "time.sleep(60 * (name == 'b')); sys.exit(130)")
    program = LAUNCHER.replace(repr(TICK), repr(stubborn))
    path = write_sweep(tmp_path, axes=names("a", "b"), command="fit --seconds=60")
    launcher = launch(tmp_path, path, program=program)
    wait(lambda: len(lines(tmp_path)) == 2)
    launcher.send_signal(signal.SIGINT)
    wait(lambda: count(tmp_path, "interrupted") == {"a": 1, "b": 1})
    worker = read_record(folder(tmp_path, "name-a") / "started.json")["pid"]
    wait(lambda: not Path(f"/proc/{worker}").exists())
    launcher.send_signal(signal.SIGINT)
    told, _ = launcher.communicate(timeout=60)
    assert launcher.returncode == 130, told
    [number] = [int(n) for what, name, n in lines(tmp_path) if (what, name) == ("begin", "b")]
    command = Path(f"/proc/{number}/cmdline")
    wait(lambda: not (command.exists() and command.read_bytes()))  # gone, or not yet buried


def test_a_job_in_other_hands_is_not_waited_for_when_it_is_prepared(tmp_path):
    job = Job("a", tmp_path / "a", ["python", "-m", "cryoccd", "fit"])
    assert prepare(job)
    handle = try_lock(job.folder / LOCK)
    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "is_held", lambda path: False)  # begun since it was asked
        try:
            assert pool.submit(prepare, job).result(timeout=10) is False
        finally:
            os.close(handle)


def test_a_job_that_cannot_be_read_is_not_taken_for_a_new_one(sweep, tmp_path, capsys):
    file = {"axes": names("a")}
    assert sweep(**file) == 0
    place = folder(tmp_path, "name-a")
    (place / "last.ckpt").touch()
    (place / "done.json").unlink()
    (place / "job.yaml").rename(place / "kept.yaml")
    (place / "job.yaml").mkdir()  # stands for a file system that fails for a moment
    assert sweep(**file) == 2
    assert "job.yaml: Is a directory" in capsys.readouterr().err
    assert (place / "last.ckpt").exists()


def test_a_program_that_is_not_there_is_told(sweep, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(expand, "PROGRAM", ["/nowhere/python", "-m", "cryoccd"])
    assert sweep(axes=names("a")) == 2
    shown = capsys.readouterr().out
    assert "failed: name-a (exit code 127, on " in shown
    assert "No such file or directory: '/nowhere/python'" in shown
