"""The program Topaz, started as a process, and folders of what it made that are made once.

A stage is named by a checksum of all that goes into it, `WORK/NAME-CHECKSUM`, and appears when it
is whole. The same stage asked for again, by the next run or by another picker in the same folder,
is found there and nothing runs. What the program said stays beside it in `NAME-CHECKSUM.log`.

Topaz (Bepler et al. 2019, Nat. Methods 16, 1153) is under the GPL: only its commands are used.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import STDOUT
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable

Make = Callable[[Path, Path], None]


def run_topaz(*words: object, log: Path, folder: Path) -> str:
    """Run a command of Topaz and add what it says to a log.

    Args:
        words: the command and its options.
        log: file for all that it prints.
        folder: where it runs.

    Returns:
        What it printed.

    Raises:
        CryoccdError: Topaz is absent, or the command failed.
    """
    topaz_version()
    program = Path(sysconfig.get_path("scripts")) / "topaz"
    argv = [str(program), *(str(word) for word in words)]
    # in the order in which it was said: the reason of a failure comes last
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with log.open("a+", encoding="utf8") as stream:
        stream.write(f"$ topaz {' '.join(argv[1:])}\n")
        stream.flush()
        start = stream.tell()
        try:
            done = subprocess.run(
                argv, cwd=folder, env=environment, stdout=stream, stderr=STDOUT, check=False
            )
        except OSError as error:
            raise CryoccdError(
                f"{program}: cannot be run ({error.strerror}); pip install 'cryoccd[picking]' anew"
            ) from error
        stream.seek(start)
        said = stream.read()
    if done.returncode:
        last = ([line.strip() for line in said.splitlines() if line.strip()] or ["no word"])[-1]
        raise CryoccdError(f"topaz {words[0]} failed: {last}; all that it said is in {log}")
    return said


def topaz_version() -> str:
    """Release of Topaz in this environment.

    Raises:
        CryoccdError: there is none.
    """
    try:
        return version("topaz-em")
    except PackageNotFoundError as error:
        raise CryoccdError("Topaz is absent; pip install 'cryoccd[picking]'") from error


def stage(work: Path, name: str, inputs: Mapping[str, Any], make: Make) -> Path:
    """Folder of a finished stage, made where it is not there yet.

    Args:
        work: folder of all stages.
        name: of the stage.
        inputs: all that its result depends on, for JSON; the release of Topaz is added.
        make: fills an empty folder, and has a log to write to.

    Raises:
        CryoccdError: `work` cannot be written to, or a command failed.
    """
    check_writable(work / name)
    text = json.dumps({**inputs, "topaz": topaz_version()}, sort_keys=True)
    checksum = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder, log = work / f"{name}-{checksum}", work / f"{name}-{checksum}.log"
    if folder.is_dir():
        return folder
    work.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=work, prefix=f".{name}-"))
    try:
        make(temporary, log)
        temporary.chmod(0o755)
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was as fast
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
