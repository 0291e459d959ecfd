"""The jobs of a sweep as a SLURM array, with a job after it that reduces them.

Plain `sbatch`, not submitit: that pickles a function and has a signal handler and a requeue of its
own, beside those of Lightning and ours, while a job here is a command line already. The script lies
in the sweep's folder, to be read, changed and submitted by hand; nothing has to be installed, and
neither `sacct` nor a running launcher is needed.

Which jobs are in the queue is asked of `squeue` alone: the name of an array has a token, and
`arrays/TOKEN.txt` says which folder each of its numbers stands for. It is written before the array
is submitted, so that a launcher may be killed anywhere. Jobs above the cluster's MaxArraySize go
into further arrays.
"""

import getpass
import math
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.launch.sweep.config import Resources
from cryoccd.launch.sweep.expand import Expanded
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.state import prepare

NOTICE_S = 120
"""Seconds before the time is up at which a job is told to write its checkpoint."""

_EARLY_S = 60  # SLURM may send it so much before
_PREFIX = "cryoccd"
ALIVE = "CF,CG,PD,R,RD,RF,RH,RQ,RS,S,SE,SI,SO,ST"  # also what is on its way back into the queue


@dataclass(frozen=True)
class Queue:
    """What the cluster has of a sweep.

    Args:
        jobs: names of the queued or running jobs.
        arrays: numbers of their arrays.
        reducing: whether a reduction waits or runs.
    """

    jobs: frozenset[str]
    arrays: tuple[str, ...]
    reducing: bool


def check_time(sweep: Expanded) -> None:
    """Refuse jobs that SLURM would send the notice as soon as they begin.

    Raises:
        CryoccdError: their time is too short.
    """
    hours, least = sweep.jobs[0].resources.hours, (NOTICE_S + _EARLY_S) / 3600  # all have the same
    if hours <= least:
        raise CryoccdError(
            f"resources.hours = {hours:g}, expected above {least:g}: SLURM tells a job to stop "
            f"{NOTICE_S} s before its time is up"
        )


def queue_of(sweep: Expanded) -> Queue:
    """Ask the cluster.

    Raises:
        CryoccdError: there is none.
    """
    words = ["squeue", "--noheader", "--array", f"--user={getpass.getuser()}", f"--states={ALIVE}"]
    names, arrays, reducing = set(), [], False
    for line in _ask([*words, "--format=%j|%F|%K"]).splitlines():
        name, array, number = line.strip().split("|")
        prefix, _, rest = name.partition(".")
        token = rest.removeprefix(f"{sweep.name}.")
        if prefix != _PREFIX or token == rest:
            continue
        folders = _arrays(sweep) / f"{token}.txt"
        if token == "reduce":
            reducing = True
        elif folders.is_file() and number.isdigit():
            names.add(Path(folders.read_text(encoding="utf8").splitlines()[int(number)]).name)
            arrays.append(array)
    return Queue(frozenset(names), tuple(dict.fromkeys(arrays)), reducing)


def submit(sweep: Expanded, todo: Sequence[Job], jobs: int | None, queue: Queue) -> list[str]:
    """Submit an array of jobs and what reduces them; the numbers that SLURM gave.

    Args:
        sweep: whose jobs they are.
        todo: those to run.
        jobs: how many at once; None for as many as the cluster allows.
        queue: what it has already; the reduction waits for that too.

    Raises:
        CryoccdError: SLURM refuses them.
    """
    ready = [job for job in todo if prepare(job)]
    numbers: list[str] = []
    most = _most_in_an_array() if ready else 1
    for start in range(0, len(ready), most):
        before = numbers[-1:] if jobs else []  # so many at once, of all arrays
        numbers.append(_submit_array(sweep, ready[start : start + most], jobs, before))
    if sweep.reduce and (ready or not queue.reducing):
        prepare(sweep.reduce)  # while one runs the next waits, and finds it as it is
        after = [*queue.arrays, *numbers]
        options = [f"--job-name={_PREFIX}.{sweep.name}.reduce"]
        once = [f"afterany:{':'.join(after)}"] if after else []
        options += [f"--dependency={','.join([*once, 'singleton'])}"]  # after an older one too
        options += _options(replace(sweep.reduce.resources, nodes=1, tasks_per_node=1, gpus=0))
        folder = shlex.quote(str(sweep.reduce.folder.resolve()))
        numbers.append(_submit(_arrays(sweep) / "reduce.sh", options, folder))
    return numbers


def _most_in_an_array() -> int:
    """Jobs that the cluster takes in one array.

    Raises:
        CryoccdError: it takes none.
    """
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask(["scontrol", "show", "config"]), re.M)
    if not found or found[1] == "0":
        raise CryoccdError("scontrol show config: no MaxArraySize; this cluster takes no arrays")
    return int(found[1])


def _submit_array(
    sweep: Expanded, ready: Sequence[Job], jobs: int | None, before: Sequence[str]
) -> str:
    """Submit one array, after those before; its number."""
    token = uuid.uuid4().hex[:8]
    folders = [str(job.folder.resolve()) for job in ready]
    write_text(_arrays(sweep) / f"{token}.txt", "\n".join(folders) + "\n")
    array = f"0-{len(ready) - 1}" + (f"%{jobs}" if jobs else "")
    options = [f"--job-name={_PREFIX}.{sweep.name}.{token}", f"--array={array}"]
    options += [f"--dependency=afterany:{':'.join(before)}"] if before else []
    options += _options(ready[0].resources)
    chosen = f'$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {shlex.quote(_path(sweep, token))})'
    return _submit(_arrays(sweep) / f"{token}.sh", options, chosen)


def _options(resources: Resources) -> list[str]:
    """Options of sbatch for what one job takes.

    `--signal` reaches the command, which runs under srun, and not the script around it.
    """
    options = [
        f"--chdir={shlex.quote(str(Path.cwd()))}",
        f"--time={max(1, math.ceil(60 * resources.hours))}",
        f"--nodes={resources.nodes}",
        f"--ntasks-per-node={resources.tasks_per_node}",
        f"--cpus-per-task={resources.cpus}",
        f"--mem={math.ceil(1024 * resources.memory_GB)}M",
        "--requeue",
        f"--signal=USR1@{NOTICE_S}",
        "--open-mode=append",
    ]
    options += [f"--gres=gpu:{resources.gpus}"] if resources.gpus else []
    options += [f"--partition={resources.partition}"] if resources.partition else []
    return [*options, *resources.sbatch]


def _submit(script: Path, options: Sequence[str], folder: str) -> str:
    log = script.parent.resolve() / f"{script.stem}-%a.log"
    if script.stem == "reduce":
        log = log.with_name("reduce.log")
    options = [*options, f"--output={shlex.quote(str(log))}"]
    lines = ["#!/bin/bash", *(f"#SBATCH {option}" for option in options)]
    worker = f"{shlex.quote(sys.executable)} -m cryoccd.launch.sweep.worker"
    lines.append(f'exec {worker} "{folder}"' if folder[0] == "$" else f"exec {worker} {folder}")
    write_text(script, "\n".join(lines) + "\n")
    return _ask(["sbatch", "--parsable", str(script)]).strip().partition(";")[0]


def _ask(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CryoccdError(
            f"cluster = slurm, but {words[0]} is not there; run on a login node, or take local"
        ) from error
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise CryoccdError(f"{words[0]}: {reason}")
    return done.stdout


def _arrays(sweep: Expanded) -> Path:
    return sweep.folder / "arrays"


def _path(sweep: Expanded, token: str) -> str:
    return str((_arrays(sweep) / f"{token}.txt").resolve())
