"""Columns of a table side by side, each made by a process of its own with its share of the cores.

Small networks gain little from a second thread, and columns share no file that is written: two
processes of one thread are nearly twice as fast as one of two.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from cryoccd.errors import CryoccdError

_MAIN = "import sys; from cryoccd.cli import main; sys.exit(main(sys.argv[1:]))"


def side_by_side(
    columns: Sequence[str], command: Sequence[str], jobs: int, logs: Path, console: Console
) -> None:
    """Run `cryoccd COMMAND --styles COLUMN --jobs 1` for each column.

    What a process prints goes to `logs/COLUMN.log`; its headings are shown here.

    Args:
        columns: names of the column groups.
        command: command line without them.
        jobs: processes at once.
        logs: folder of the logs.
        console: where headings are shown.

    Raises:
        CryoccdError: a column failed; the others are stopped.
    """
    logs.mkdir(parents=True, exist_ok=True)
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    running: list[subprocess.Popen[str]] = []

    def make(column: str) -> None:
        argv = [sys.executable, "-c", _MAIN, *command, f"--styles={column}", "--jobs=1"]
        with (
            (logs / f"{column}.log").open("w", encoding="utf8") as log,
            subprocess.Popen(
                argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
            ) as process,
        ):
            running.append(process)
            assert process.stdout is not None  # piped above
            last: deque[str] = deque(maxlen=1)
            for line in process.stdout:
                log.write(line)
                if line.strip():
                    last.append(line.strip())
                if "─ " in line and " · " in line:
                    console.rule(line.strip("─ \n"))
        if process.returncode:
            reason = last[0].removeprefix("cryoccd: error: ") if last else "nothing printed"
            raise CryoccdError(f"{column}: {reason} (all of it in {logs / column}.log)")

    with ThreadPoolExecutor(jobs) as pool:
        made = [pool.submit(make, column) for column in columns]
        try:
            for each in as_completed(made):
                each.result()
        except BaseException:
            for waiting in made:
                waiting.cancel()
            for process in running:
                process.terminate()
            raise
