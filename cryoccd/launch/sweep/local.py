"""The jobs of a sweep on this machine, so many at once, each a process with its share of the cores.

A job's process is a session of its own: Ctrl-C reaches the launcher alone, which hands it on once,
so that a fit can write its checkpoint; and a launcher that is killed takes no job along. The next
one sees by their locks that they run, waits for them, and begins what nobody has begun.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from rich.console import Console
from rich.progress import Progress, TaskID

from cryoccd.io.lock import is_held
from cryoccd.io.progress import progress_bar
from cryoccd.launch.sweep.devices import slots
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.state import LOCK, LOG, State, is_due, is_finished, prepare, state_of
from cryoccd.launch.sweep.worker import HELD

WORKER = [sys.executable, "-m", "cryoccd.launch.sweep.worker"]

_POLL_S = 0.1


@dataclass
class Pool:
    """Runs jobs side by side.

    Args:
        places: the environment of each place for a job.
        retry: whether a job that fails in another launcher's hands is begun again here.
        console: where the user is told what ends.
    """

    places: list[dict[str, str]]
    retry: bool
    console: Console
    _running: list[tuple[Job, "subprocess.Popen[bytes]", dict[str, str]]] = field(
        default_factory=list, init=False
    )

    def run(self, todo: Sequence[Job], elsewhere: Sequence[Job]) -> None:
        """Run jobs, and wait for those that another process runs.

        Raises:
            KeyboardInterrupt: this process was asked to stop; all jobs have.
        """
        waiting, others = list(todo), list(elsewhere)
        total = len(waiting) + len(others)
        with _interruptible(), progress_bar() as bar:
            task = bar.add_task("jobs", total=total)
            try:
                while waiting or others or self._running:
                    self._begin(waiting, others)
                    self._end(others, bar, task)
                    self._look(waiting, others)
                    bar.update(task, completed=total - len(waiting + others) - len(self._running))
                    time.sleep(_POLL_S)
            except KeyboardInterrupt:
                self._stop()
                raise

    def _begin(self, waiting: list[Job], others: list[Job]) -> None:
        while waiting and self.places:
            job = waiting.pop(0)
            if is_finished(job):
                continue  # by another launcher, in the meantime
            if not prepare(job):
                others.append(job)
                continue
            place = self.places.pop(0)
            process = subprocess.Popen(
                [*WORKER, str(job.folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | place,
                start_new_session=True,
            )
            self._running.append((job, process, place))

    def _end(self, others: list[Job], bar: Progress, task: TaskID) -> None:
        for entry in list(self._running):
            job, process, place = entry
            code = process.poll()
            if code is None:
                continue
            self._running.remove(entry)
            self.places.append(place)
            if code == HELD:
                others.append(job)
            else:
                outcome = "finished" if code == 0 else f"ended with exit code {code}"
                bar.console.print(f"{job.name}: {outcome}", highlight=False, soft_wrap=True)

    def _look(self, waiting: list[Job], others: list[Job]) -> None:
        for job in list(others):
            if not is_held(job.folder / LOCK):
                others.remove(job)
                if is_due(state_of(job), self.retry):
                    waiting.append(job)

    def _stop(self) -> None:
        """Interrupt every job and wait for it; a second interrupt ends them at once."""
        told = f"stopping {len(self._running)} jobs; once more ends them at once"
        self.console.print(told, style="dim", highlight=False)
        for _, process, _ in self._running:
            process.send_signal(signal.SIGINT)
        try:
            for _, process, _ in self._running:
                process.wait()
        except KeyboardInterrupt:
            for _, process, _ in self._running:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)  # the worker and its command


def run_here(
    todo: Sequence[Job],
    elsewhere: Sequence[Job],
    jobs: int | None,
    retry: bool,
    console: Console,
) -> None:
    """Run jobs on this machine.

    Raises:
        CryoccdError: a job needs more than the machine has.
        KeyboardInterrupt: this process was asked to stop; all jobs have.
    """
    if todo or elsewhere:
        places = slots((list(todo) or list(elsewhere))[0].resources, jobs)
        Pool(places, retry, console).run(todo, elsewhere)


def reduce_here(job: Job, console: Console) -> State:
    """Run the reduction, unless it stands, and show what it printed."""
    if not is_finished(job):
        log = job.folder / LOG
        prepare(job)
        before = log.stat().st_size if log.exists() else 0
        Pool([{}], False, console).run([job], [])
        console.print(log.read_bytes()[before:].decode("utf8", "replace"), markup=False)
    return state_of(job)


@contextmanager
def _interruptible() -> Iterator[None]:
    """TERM and HUP do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
