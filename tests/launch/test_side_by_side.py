"""Columns of a table in processes of their own."""

import io
import time

import pytest
from rich.console import Console

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.launch import side_by_side as module

PROGRAM = """
import os, sys, time
style = sys.argv[-2].removeprefix("--styles=")
assert sys.argv[1:3] == ["table", "fid"] and sys.argv[-1] == "--jobs=1"
print("─" * 5, f"cell 1 of 1 · {style}", "─" * 5, flush=True)
print("threads", os.environ["OMP_NUM_THREADS"])
if style == "bad":
    print("cryoccd: error: bad: the disk is full")
    sys.exit(2)
if style == "slow":
    time.sleep(60)
"""


def run(tmp_path, monkeypatch, *columns):
    monkeypatch.setattr(module, "_MAIN", PROGRAM)
    text = io.StringIO()
    logs = tmp_path / "logs"
    console = Console(file=text, width=60)
    module.side_by_side(columns, ["table", "fid"], 2, logs, console)
    return text.getvalue(), {path.stem: path.read_text() for path in logs.iterdir()}


def test_each_column_has_its_process_and_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "cpu_count", lambda: 6)
    shown, logs = run(tmp_path, monkeypatch, "a", "b", "c")
    assert sorted(logs) == ["a", "b", "c"]
    assert all(f"cell 1 of 1 · {name}" in shown for name in logs)
    assert all("threads 3" in log for log in logs.values())
    assert "threads" not in shown


def test_a_failed_column_stops_the_others_and_says_why(tmp_path, monkeypatch):
    started = time.monotonic()
    with pytest.raises(CryoccdError, match=r"^bad: bad: the disk is full \(all of it in .*bad.log"):
        run(tmp_path, monkeypatch, "slow", "bad")
    assert time.monotonic() - started < 30  # the slow one sleeps for 60 s


def test_fewer_than_one_job_is_refused(capsys, tmp_path):
    assert main(["table", "fid", "--jobs", "0", "--runs", str(tmp_path)]) == 2
    assert "jobs = 0, expected 1 or more" in capsys.readouterr().err
