"""A table as a sweep: a job for each column group, and the table of all their cells after them.

A column group makes its data once, and fits that several rows or columns share are made by the
first job that asks for them while the others wait (`cryoccd.launch.run_table`,
`cryoccd.launch.fits`). So jobs need no order among them.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cryoccd.launch.sweep.config import checked, read_sweep
from cryoccd.launch.sweep.expand import expand
from cryoccd.launch.sweep.run import run_sweep

RESOURCES = Path("configs/sweep/table.yaml")
"""What a job of a table takes; its command and axes stand for any table."""


def submit_table(
    table: str,
    profile: str,
    columns: Sequence[str],
    mixed: bool,
    words: Sequence[str],
    jobs: int | None,
    places: tuple[Path, Path],
    console: Console,
) -> None:
    """Submit what is not finished of a table to SLURM; the same command tells how it stands.

    Args:
        table: its name.
        profile: of its matrix.
        columns: names of the column groups.
        mixed: whether one model serves all columns: then one job makes them.
        words: options of `cryoccd table`, but for its columns.
        jobs: how many at once.
        places: results and runs.
        console: where the user is told.

    Raises:
        CryoccdError: there is no cluster, or it refuses the jobs.
    """
    groups = [",".join(columns)] if mixed else list(columns)
    every = f"--styles={','.join(columns)}"
    way = "-mixed" if mixed else ""
    given = {
        "name": f"table-{table}-{profile}{way}",
        "command": shlex.join(["table", table, *words]),
        "axes": {"grid": {"styles": groups}},
        "resources": read_sweep(RESOURCES).resources,
        "reduce": shlex.join(["table", table, *words, every, "--allow-missing"]),
    }
    sweep = expand(checked(given, RESOURCES), *places)
    run_sweep(sweep, "slurm", jobs, dry_run=False, retry=True, console=console)
