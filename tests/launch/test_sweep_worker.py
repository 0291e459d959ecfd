"""The process of one job under SLURM, with programs that play `srun` and `scontrol`."""

import os
import subprocess
import sys

import pytest
from sweeps import ROOT

from cryoccd.launch.sweep.config import Resources
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.state import State, last_lines, prepare, read_record, state_of

SRUN = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do shift; done
exec "$@"
"""
SCONTROL = """#!/bin/sh
echo "$@" > asked.txt
kill -TERM $PPID
"""
STOPPED = "import os, signal; print('working', flush=True); os.kill(os.getpid(), signal.SIGUSR1)"


@pytest.fixture
def turn(tmp_path, monkeypatch):
    """Run a job's n-th turn, which the notice of SLURM ends; what `scontrol` was told."""
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SLURM_JOB_ID", "7")

    def run(job: Job, number: int) -> str:
        monkeypatch.setenv("SLURM_RESTART_COUNT", str(number - 1))
        worker = [sys.executable, "-m", "cryoccd.launch.sweep.worker", str(job.folder)]
        subprocess.run(worker, cwd=tmp_path, check=False, timeout=60)
        asked = tmp_path / "asked.txt"
        told = asked.read_text() if asked.exists() else ""
        asked.unlink(missing_ok=True)
        return told

    return run


def test_a_job_that_gets_nowhere_comes_back_as_often_as_it_may(turn, tmp_path):
    job = Job("a", tmp_path / "a", [sys.executable, "-c", STOPPED], resources=Resources(turns=2))
    prepare(job)
    assert turn(job, 1) == "requeue 7\n"
    assert state_of(job) == State.STOPPED
    assert read_record(job.folder / "ended.json")["turn"] == 1
    assert turn(job, 2) == ""
    assert state_of(job) == State.FAILED
    assert "its time was up in all its turns; give resources.hours" in last_lines(job.folder)[-1]
    assert turn(job, 1) == "requeue 7\n"  # submitted again, by --retry
