"""Locks between processes; here two handles of one process, which exclude each other as well."""

import errno
import fcntl
import os

import pytest

from cryoccd.errors import CryoccdError
from cryoccd.io.lock import is_held, locked, try_lock


def test_a_lock_has_one_holder(tmp_path):
    path = tmp_path / "deep/lock"
    assert not is_held(path)
    handle = try_lock(path)
    assert handle is not None
    assert is_held(path)
    assert try_lock(path) is None
    os.close(handle)
    assert not is_held(path)
    with locked(path):
        assert is_held(path)


def test_who_asks_is_no_holder_to_others_that_ask(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)  # a process that asks in this moment
        assert not is_held(path)


@pytest.mark.parametrize("take", [is_held, try_lock, lambda path: locked(path).__enter__()])
def test_a_file_system_without_locks_is_named(take, tmp_path, monkeypatch):
    def refuse(handle, kind):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    path = tmp_path / "lock"
    path.touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(
        CryoccdError, match=r"lock: cannot be locked \(Function not implemented\); "
    ):
        take(path)
    assert len(os.listdir("/proc/self/fd")) == opened
