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

from cryoccd.errors import CryoccdError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock, then hold it. The file is empty and stays.

    Raises:
        CryoccdError: it cannot be locked there.
    """
    handle = _open(path)
    try:
        _lock(handle, fcntl.LOCK_EX, path)
        yield
    finally:
        os.close(handle)


def try_lock(path: Path) -> int | None:
    """A handle that holds the lock until it is closed; None where another process has it.

    Raises:
        CryoccdError: it cannot be locked there.
    """
    return _try(path, fcntl.LOCK_EX)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now; who only asks is none to the others that ask.

    Raises:
        CryoccdError: it cannot be locked there.
    """
    if not path.exists():
        return False
    handle = _try(path, fcntl.LOCK_SH)
    if handle is not None:
        os.close(handle)
    return handle is None


def _try(path: Path, kind: int) -> int | None:
    handle = _open(path)
    try:
        _lock(handle, kind | fcntl.LOCK_NB, path)
    except BlockingIOError:
        os.close(handle)
        return None
    except CryoccdError:
        os.close(handle)
        raise
    return handle


def _lock(handle: int, kind: int, path: Path) -> None:
    try:
        fcntl.flock(handle, kind)
    except BlockingIOError:
        raise
    except OSError as error:
        raise CryoccdError(
            f"{path}: cannot be locked ({error.strerror}); choose a file system with flock"
        ) from error


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
