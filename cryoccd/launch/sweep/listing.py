"""What a user is told of a sweep: what there is to do, what it takes, and what went wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from cryoccd.launch.sweep.expand import Expanded
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.state import ENDED, STARTED, State, last_lines, read_record

BROKEN = (State.FAILED, State.STOPPED)


def show_plan(
    sweep: Expanded, states: Mapping[str, State], todo: Sequence[Job], console: Console
) -> None:
    """Every job with its state, and what those that would run take."""
    chosen = {job.name for job in todo}
    for job in sweep.jobs:
        state = states[job.name]
        mark = "run " if job.name in chosen else "skip"
        console.print(Text(f"{mark}  {state:<8}  {job.name}"), soft_wrap=True)
    hours = sum(job.resources.hours * job.resources.nodes for job in todo)
    disk_GB = sum(job.resources.disk_GB for job in todo)
    memory_GB = max((job.resources.memory_GB for job in todo), default=0)
    cores = max((_cores(job) for job in todo), default=0)
    gpus = max((job.resources.gpus * job.resources.nodes for job in todo), default=0)
    console.print(
        f"{len(sweep.jobs)} jobs, {len(todo)} to run: at most {hours:g} node hours a turn, "
        f"{disk_GB:g} GB on disk; each {memory_GB:g} GB of memory, {cores} cores, {gpus} GPUs",
        highlight=False,
        soft_wrap=True,
    )
    if sweep.reduce:
        words = " ".join(["cryoccd", *sweep.reduce.argv[3:]])
        console.print(Text(f"then  {words}"), soft_wrap=True)


def show_outcome(sweep: Expanded, states: Mapping[str, State], console: Console) -> None:
    """How many jobs are in which state, and why those that broke did."""
    for job in sweep.jobs:
        if states[job.name] in BROKEN:
            show_broken(job, states[job.name], console)
    counts = Counter(states.values())
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    console.print(f"{sweep.name}: {told}", highlight=False, soft_wrap=True)


def show_broken(job: Job, state: State, console: Console) -> None:
    """One job that broke, with the last lines of its log."""
    ended = read_record(job.folder / ENDED)
    began = read_record(job.folder / STARTED) or {}
    how = f"exit code {ended['code']}" if ended else "killed, with no exit code"
    place = (ended or began).get("host", "an unknown host")
    console.print(Text(f"{state}: {job.name} ({how}, on {place})"), soft_wrap=True)
    for line in last_lines(job.folder):
        console.print(Text(f"    {line}"), style="dim", soft_wrap=True)


def _cores(job: Job) -> int:
    return job.resources.cpus * job.resources.tasks_per_node * job.resources.nodes
