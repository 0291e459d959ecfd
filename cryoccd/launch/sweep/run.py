"""A sweep from its jobs to its table, here or on a cluster."""

from collections.abc import Sequence
from typing import Literal

from rich.console import Console

from cryoccd.errors import CryoccdError
from cryoccd.launch.sweep import slurm
from cryoccd.launch.sweep.expand import Expanded
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.listing import BROKEN, show_broken, show_outcome, show_plan
from cryoccd.launch.sweep.local import reduce_here, run_here
from cryoccd.launch.sweep.state import State, is_finished, state_of

Cluster = Literal["local", "slurm"]


def run_sweep(
    sweep: Expanded,
    cluster: Cluster,
    jobs: int | None,
    dry_run: bool,
    retry: bool,
    console: Console,
) -> None:
    """Run what is not finished, then reduce; on a cluster submit it and return.

    Args:
        sweep: the jobs.
        cluster: where.
        jobs: how many at once.
        dry_run: only tell what would run.
        retry: also those that have failed of their own.
        console: where the user is told.

    Raises:
        CryoccdError: jobs are not finished at the end, or the cluster refuses them.
        KeyboardInterrupt: this process was asked to stop; all jobs here have.
    """
    queue = slurm.queue_of(sweep) if cluster == "slurm" else None
    states = {job.name: state_of(job, queue.jobs if queue else ()) for job in sweep.jobs}
    todo = [job for job in sweep.jobs if _is_due(states[job.name], retry)]
    if dry_run:
        show_plan(sweep, states, todo, console)
    elif queue is None:
        elsewhere = [job for job in sweep.jobs if states[job.name] == State.RUNNING]
        run_here(todo, elsewhere, jobs, retry, console)
        _finish(sweep, console)
    else:
        show_outcome(sweep, states, console)
        _submit(sweep, todo, jobs, queue, console)


def _is_due(state: State, retry: bool) -> bool:
    return state in (State.NEW, State.CHANGED, State.STOPPED) or (retry and state == State.FAILED)


def _submit(
    sweep: Expanded, todo: Sequence[Job], jobs: int | None, queue: slurm.Queue, console: Console
) -> None:
    reduced = sweep.reduce is None or is_finished(sweep.reduce)
    if todo or not (reduced or queue.reducing):
        numbers = slurm.submit(sweep, todo, jobs, queue)
        told = f"submitted {len(todo)} jobs as {', '.join(numbers)}; the same command tells more"
        console.print(told, highlight=False, soft_wrap=True)


def _finish(sweep: Expanded, console: Console) -> None:
    states = {job.name: state_of(job) for job in sweep.jobs}
    show_outcome(sweep, states, console)
    if sweep.reduce:
        reduced = reduce_here(sweep.reduce, console)
        if reduced in BROKEN:
            show_broken(sweep.reduce, reduced, console)
            raise CryoccdError(f"{sweep.name}: the reduction {reduced}; see {sweep.reduce.folder}")
    broken = [state for state in states.values() if state != State.FINISHED]
    if broken:
        failed = broken.count(State.FAILED)
        mend = "mend what they tell, then add --retry" if failed else "the same command continues"
        raise CryoccdError(
            f"{sweep.name}: {len(broken)} of {len(states)} jobs are not finished; {mend}"
        )
