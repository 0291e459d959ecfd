"""A process that stops itself in the middle of writing a file, as a crash or Ctrl-C would."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

IMPORTS = ["cryoccd.cli.translate", "cryoccd.methods.translate", "cryoccd.methods.checkpoint"]
IMPORTS += ["cryoccd.methods.gaussian", "cryoccd.simulate.oracle_run", "cryoccd.cli.fit"]


def run_until(n_syncs: int, number: int, log: Path, function: Callable, *arguments: object) -> int:
    """Call a function in a process that gets a signal when it syncs its n-th file.

    The file is then written under its temporary name and not yet renamed.

    Returns:
        The exit code, minus the number of the signal that ended the process.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTS)
    process = context.Process(target=_run, args=(n_syncs, number, log, function, arguments))
    process.start()
    process.join()
    return process.exitcode


def _run(n_syncs: int, number: int, log: Path, function: Callable, arguments: tuple) -> None:
    # a shell that runs the tests in the background hands on an ignored SIGINT
    signal.signal(signal.SIGINT, signal.default_int_handler)
    real, count = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal count
        count += 1
        if count == n_syncs:
            os.kill(os.getpid(), number)
        real(handle)

    os.fsync = fsync
    with log.open("w") as stream:
        sys.stdout = sys.stderr = stream
        code = function(*arguments)
    sys.exit(code)


def finished_files(root: Path) -> dict[Path, int]:
    """Time of the last change of each file of a finished item."""
    import json

    records = sorted((root / ".items").glob("[!.]*.json"))
    files = [root / name for record in records for name in json.loads(record.read_text())["files"]]
    return {path: path.stat().st_mtime_ns for path in files}


def check_whole(root: Path, before: dict[Path, int], whole: Path, marker: str) -> None:
    """Nothing finished was made again, nothing is lost, nothing is left over."""
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (root / marker).read_bytes() == (whole / marker).read_bytes()
    assert _relative(root) == _relative(whole)


def _relative(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
