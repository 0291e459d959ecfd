"""A sweep from its jobs to its table, here or on a cluster."""

from collections.abc import Collection, Mapping
from typing import Literal

from rich.console import Console

from cryoccd.errors import CryoccdError
from cryoccd.io.lock import locked
from cryoccd.launch.sweep import slurm
from cryoccd.launch.sweep.expand import Expanded
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.listing import BROKEN, show_broken, show_outcome, show_plan
from cryoccd.launch.sweep.local import reduce_here, run_here
from cryoccd.launch.sweep.state import State, is_due, is_finished, state_of

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
    queue = None
    if cluster == "slurm":
        slurm.check_time(sweep)
        queue = slurm.queue_of(sweep)
    states = _states(sweep, queue.jobs if queue else ())
    if dry_run:
        show_plan(sweep, states, _due(sweep, states, retry), console)
    elif queue is None:
        elsewhere = [job for job in sweep.jobs if states[job.name] == State.RUNNING]
        run_here(_due(sweep, states, retry), elsewhere, jobs, retry, console)
        _finish(sweep, console)
    else:
        with locked(sweep.folder / "launcher.lock"):  # the second of two asks the queue again
            _submit(sweep, jobs, retry, console)


def _states(sweep: Expanded, queued: Collection[str] = ()) -> dict[str, State]:
    return {job.name: state_of(job, queued) for job in sweep.jobs}


def _due(sweep: Expanded, states: Mapping[str, State], retry: bool) -> list[Job]:
    return [job for job in sweep.jobs if is_due(states[job.name], retry)]


def _submit(sweep: Expanded, jobs: int | None, retry: bool, console: Console) -> None:
    queue = slurm.queue_of(sweep)
    states = _states(sweep, queue.jobs)
    show_outcome(sweep, states, console)
    reduced = sweep.reduce is None or is_finished(sweep.reduce)
    todo = _due(sweep, states, retry)
    settled = reduced or queue.reducing
    if sweep.reduce and not settled and (state := state_of(sweep.reduce)) in BROKEN:
        show_broken(sweep.reduce, state, console)
    numbers = slurm.submit(sweep, todo, jobs, queue) if todo or not settled else []
    if numbers:
        what = f"{len(todo)} jobs" if todo else "the reduction"
        told = f"submitted {what} as {', '.join(numbers)}; the same command tells more"
        console.print(told, highlight=False, soft_wrap=True)
    if not todo and not {State.QUEUED, State.RUNNING} & set(states.values()):
        _check_finished(sweep, states)


def _finish(sweep: Expanded, console: Console) -> None:
    states = _states(sweep)
    show_outcome(sweep, states, console)
    if sweep.reduce:
        reduced = reduce_here(sweep.reduce, console)
        if reduced in BROKEN:
            show_broken(sweep.reduce, reduced, console)
            raise CryoccdError(f"{sweep.name}: the reduction {reduced}; see {sweep.reduce.folder}")
    _check_finished(sweep, states)


def _check_finished(sweep: Expanded, states: Mapping[str, State]) -> None:
    broken = [state for state in states.values() if state != State.FINISHED]
    if broken:
        failed = broken.count(State.FAILED)
        mend = "mend what they tell, then add --retry" if failed else "the same command continues"
        raise CryoccdError(
            f"{sweep.name}: {len(broken)} of {len(states)} jobs are not finished; {mend}"
        )
