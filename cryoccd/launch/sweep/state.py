"""What a job's folder tells of it. Nothing else is asked, so that any launcher can be killed.

    job.yaml      the resolved job, written before it first runs
    running.lock  held by whoever runs it, see `cryoccd.io.lock`
    started.json  when, where and as which process it last began
    ended.json    how it ended, where it did not finish
    done.json     written as its last act, with the hash of the job
    log.txt       all that it printed

A job that was stopped from outside (a signal that ends a process, a lost machine, its launcher
interrupted) goes on when the sweep is issued again. One that failed of its own would fail again: it
waits for `--retry`.
"""

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.lock import is_held, try_lock
from cryoccd.launch.sweep.job import FILE, Job, read_job

LOCK, STARTED, ENDED, DONE = "running.lock", "started.json", "ended.json", "done.json"
LOG = "log.txt"

_OUTSIDE = (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1)
STOPPING = frozenset(128 + number for number in _OUTSIDE)
"""Exit codes of what was stopped from outside."""


class State(StrEnum):
    """Where a job stands."""

    NEW = "new"
    CHANGED = "changed"
    STOPPED = "stopped"
    FAILED = "failed"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


def is_due(state: State, retry: bool) -> bool:
    """Whether a job in this state is to run; one that has failed waits for `retry`."""
    return state in (State.NEW, State.CHANGED, State.STOPPED) or (retry and state == State.FAILED)


def state_of(job: Job, queued: Collection[str] = ()) -> State:
    """Where a job stands; `queued` names those that the cluster has."""
    if is_held(job.folder / LOCK):
        return State.RUNNING
    if job.name in queued:
        return State.QUEUED
    if is_finished(job):
        return State.FINISHED
    known = read_job(job.folder)
    if known is None or (known.hash == job.hash and (job.folder / DONE).exists()):
        return State.NEW  # also where a file that it has made is gone
    if known.hash != job.hash:
        return State.CHANGED
    ended = read_record(job.folder / ENDED)
    if ended is not None:
        return State.STOPPED if ended.get("code") in STOPPING else State.FAILED
    return State.STOPPED if (job.folder / STARTED).exists() else State.NEW


def is_finished(job: Job) -> bool:
    """Whether this very job has finished, what it has made is there, and what it reduces is old."""
    done = read_record(job.folder / DONE)
    if done is None or done.get("hash") != job.hash or done.get("after") != digests(job):
        return False
    return all(Path(path).exists() for path in job.makes)


def digests(job: Job) -> dict[str, str]:
    """SHA-256 of `done.json` of each job that this one reduces."""
    files = [Path(folder) / DONE for folder in job.after]
    return {
        path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


def prepare(job: Job) -> bool:
    """Make the folder ready for a job to begin or to go on; False where one runs in it.

    A folder of a job that has changed is emptied.
    """
    lock = try_lock(job.folder / LOCK)
    if lock is None:
        return False
    try:
        known = read_job(job.folder)
        if known is None or known.hash != job.hash:
            (job.folder / DONE).unlink(missing_ok=True)  # first: the rest is then worth nothing
            for path in job.folder.iterdir():
                if path.name not in (LOCK, FILE):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        if known is None or known.job != job:
            job.write()
    finally:
        os.close(lock)
    return True


def read_record(path: Path) -> dict[str, Any] | None:
    """A small JSON object; None where there is none."""
    try:
        record = json.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CryoccdError(f"{path}: not readable ({error}); remove it") from error
    return record if isinstance(record, dict) else None


def last_lines(folder: Path, count: int = 5) -> list[str]:
    """The last lines of a job's log that say something."""
    path = folder / LOG
    if not path.is_file():
        return []
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 8192))
        text = stream.read().decode("utf8", "replace")
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.splitlines()]
    return [line for line in lines if line][-count:]
