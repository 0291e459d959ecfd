"""The same work on many items, in this process or in several, with the same bytes.

Every item runs on one torch thread, since the number of threads changes the order of sums.
Processes are forked from a server that has done nothing but the imports: they start at once, where
a fork of a process that holds threads may hang.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import torch

from cryoccd.errors import CryoccdError
from cryoccd.simulate.memory import keep_freed_memory

Job = Callable[[int], None]


def for_each(setup: Callable[[], Job], indices: Sequence[int], workers: int) -> Iterator[int]:
    """Run a job on every index; yields each index when it is done, in any order.

    An error in any item stops the rest and is raised here; so does an interrupt, after the items
    that are under way.

    Args:
        setup: makes the job, once in each process; must be picklable.
        indices: the items.
        workers: number of processes; 1 works in this one.

    Raises:
        CryoccdError: a worker process died.
    """
    workers = min(workers, len(indices))
    if workers <= 1:
        keep_freed_memory()
        with one_thread():
            job = setup()
            for index in indices:
                job(index)
                yield index
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, setup.__class__.__module__])
    pool = ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=(setup,))
    try:
        futures = {pool.submit(_run, index): index for index in indices}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    except BrokenProcessPool as error:
        raise CryoccdError(
            "a worker process died: out of memory, or a script of yours without a main guard; "
            "run again with --resume and fewer --workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in the order of one torch thread, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_job: Job | None = None  # of this worker process


def _prepare(setup: Callable[[], Job]) -> None:
    global _job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us, between two items
    threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_freed_memory()
    torch.set_num_threads(1)
    _job = setup()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(index: int) -> None:
    assert _job is not None
    _job(index)
