"""Runs one job, wherever: `python -m cryoccd.launch.sweep.worker FOLDER`.

It holds the job's lock while the command runs, hands the signals it gets on to the command, and
writes how it ended. On a cluster the command runs under `srun`, once a task, so that signals of the
cluster reach it directly; a command that USR1 has stopped, which SLURM sends before the time is up,
is put into the queue again, as often as its resources allow: one that gets nowhere in its time
would come back for ever. What TERM has stopped is SLURM's own decision: it has put the job into
the queue again itself, or somebody has cancelled it.

The lock is handed to the command too: as long as that lives nobody else begins it, even if this
process was killed.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import cryoccd
from cryoccd.io.atomic import write_text
from cryoccd.io.lock import try_lock
from cryoccd.launch.sweep.job import Job, read_job
from cryoccd.launch.sweep.state import (
    DONE,
    ENDED,
    LOCK,
    LOG,
    STARTED,
    digests,
    is_finished,
)

HELD = 75
"""Exit code where another process runs the job."""

_NOTICE = 128 + signal.SIGUSR1
_NOT_THERE = 127  # as a shell has it
_PATIENCE_S = 10.0  # a launcher that looks at the lock holds it for a moment
_PATIENCE_TO_END_S = 120.0
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)


def run(folder: Path) -> int:
    """Run the job of a folder, unless it is finished; the exit code of its command."""
    lock = _wait_for_lock(folder)
    if lock is None:
        print(f"{folder}: is run by another process")
        return HELD
    try:
        known = read_job(folder)
        if known is None:
            print(f"{folder}: holds no job; issue the sweep again", file=sys.stderr)
            return 2
        if known.hash == known.job.hash and is_finished(known.job):
            return 0
        code = _run(known.job, lock)
    finally:
        os.close(lock)
    if code == _NOTICE and "SLURM_JOB_ID" in os.environ:
        _requeue()
    return code


def _run(job: Job, lock: int) -> int:
    began = time.monotonic()
    facts: dict[str, Any] = {"host": socket.gethostname(), "pid": os.getpid()}
    facts |= {"slurm": _slurm_id(), "turn": _turn()} if "SLURM_JOB_ID" in os.environ else {}
    after = digests(job)  # what ends from here on is not in what this job reduces
    for name in (DONE, ENDED):
        (job.folder / name).unlink(missing_ok=True)
    _write(job.folder / STARTED, facts)
    with (job.folder / LOG).open("a", encoding="utf8") as log:
        print(f"=== {_now()} on {facts['host']}: {' '.join(job.argv[1:])}", file=log, flush=True)
        try:
            code = _command(job, lock, log.fileno())
        except OSError as error:
            code = _NOT_THERE
            print(error, file=log)
        missing = [path for path in job.makes if code == 0 and not Path(path).exists()]
        if missing:
            code = 1
            print(f"the command ended well, but has not made {', '.join(missing)}", file=log)
        if code == _NOTICE and _turn() >= job.resources.turns:
            code = 1
            told = "its time was up in all its turns; give resources.hours or resources.turns more"
            print(told, file=log)
    facts |= {"code": code, "seconds": round(time.monotonic() - began, 3)}
    if code:
        _write(job.folder / ENDED, facts)
    else:
        made = {"hash": job.hash, "version": cryoccd.__version__, "commit": job.commit}
        _write(job.folder / DONE, made | {"after": after} | facts)
    return code


def _command(job: Job, lock: int, output: int) -> int:
    """Run the command line, with all signals handed on; its exit code, 128 + n for signal n."""
    child: subprocess.Popen[bytes] | None = None
    waiting: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        if child is None:
            waiting.append(number)
        elif child.poll() is None:
            child.send_signal(number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    environment = os.environ | {"OMP_NUM_THREADS": str(job.resources.cpus)}
    if "SLURM_JOB_ID" in os.environ:
        # its name in SLURM need not be known to the other machines; a batch script runs on the
        # first of them, where process 0 of a fit will be
        environment.setdefault("MASTER_ADDR", socket.gethostname())
    child = subprocess.Popen(
        [*_srun(job), *job.argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        pass_fds=(lock,),
    )
    for early in waiting:
        child.send_signal(early)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _srun(job: Job) -> Sequence[str]:
    if "SLURM_JOB_ID" not in os.environ:
        return ()
    # processes of one fit end within moments of one another, each with its own exit code
    ends = "--kill-on-bad-exit=0", "--wait=60"
    # SLURM 22.05 and later take the number of cores from here and not from the batch script
    return ("srun", *ends, f"--cpus-per-task={job.resources.cpus}")


def _requeue() -> None:
    """Put this job into the queue again, which ends this process.

    A script that ends by itself in that moment may count as failed, and its job is gone.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    done = subprocess.run(["scontrol", "requeue", _slurm_id()], capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip() or done.stdout.strip()
        print(f"scontrol requeue: {reason}; issue the sweep again", file=sys.stderr)
        return
    time.sleep(_PATIENCE_TO_END_S)


def _slurm_id() -> str:
    known = os.environ
    if "SLURM_ARRAY_JOB_ID" in known:
        return f"{known['SLURM_ARRAY_JOB_ID']}_{known['SLURM_ARRAY_TASK_ID']}"
    return known["SLURM_JOB_ID"]


def _turn() -> int:
    """How often SLURM has begun this job."""
    return 1 + int(os.environ.get("SLURM_RESTART_COUNT", "0"))


def _wait_for_lock(folder: Path) -> int | None:
    latest = time.monotonic() + _PATIENCE_S
    while True:
        lock = try_lock(folder / LOCK)
        if lock is not None or time.monotonic() > latest:
            return lock
        time.sleep(0.2)


def _write(path: Path, record: dict[str, Any]) -> None:
    write_text(path, json.dumps({"time": _now(), **record}, indent=1) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
