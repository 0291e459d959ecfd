"""Locks between processes that end with the process that holds them.

`flock` on an open file: the kernel takes the lock back when its holder ends, however it ends, so
that none is ever stale. A heartbeat or a process number in a file would have to be believed or
doubted after a crash. Linux carries flock over NFS, and over Lustre where it is mounted with
`flock`; where a file system refuses, the error says so.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock, then hold it. The file is empty and stays.

    Raises:
        OSError: the file system knows no locks.
    """
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def try_lock(path: Path) -> int | None:
    """A handle that holds the lock until it is closed; None where another process has it.

    Raises:
        OSError: the file system knows no locks.
    """
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    return handle


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now."""
    if not path.exists():
        return False
    handle = try_lock(path)
    if handle is not None:
        os.close(handle)
    return handle is None


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
