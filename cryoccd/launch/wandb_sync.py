"""Uploads offline runs: `wandb sync` of what is below a folder, and of nothing twice.

W&B marks a file that it has uploaded with `FILE.synced`. A run that went on since then is newer
than its mark, and is uploaded again. Several files of one run, as an interrupted fit leaves them,
go up in the order in which they began.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cryoccd.callbacks.wandb_run import PROJECT, files_within, logged_in
from cryoccd.errors import CryoccdError
from cryoccd.launch.wandb_cells import track_cells
from cryoccd.launch.wandb_workspace import save_views

PROGRAM = (sys.executable, "-m", "wandb", "sync", "--include-synced")
_AT_ONCE = 100


def sync(
    runs: Path,
    console: Console,
    results: Path | None = None,
    project: str = PROJECT,
    program: Sequence[str] = PROGRAM,
) -> list[Path]:
    """Upload the runs that are not yet on W&B's site, and the views that compare them.

    Args:
        runs: folder that they are below, at any depth.
        console: where it is told what was uploaded.
        results: its cells are logged first, see `track_cells`; None for none.
        project: of the cells and of the views.
        program: uploads the folders of runs that it is given.

    Returns:
        The folders that were uploaded.

    Raises:
        CryoccdError: no login, or a run that did not arrive.
    """
    if not runs.is_dir():
        raise CryoccdError(f"{runs}: no such folder; give the one that fits were made in")
    if not logged_in():
        raise CryoccdError("W&B: no login; run `wandb login`, or set WANDB_API_KEY, then again")
    if results is not None:
        track_cells(sorted(results.glob("*/*/*__*__*.json")), runs, console, "offline", project)
    found = offline_runs(runs)
    left = [folder for folder, uploaded in found.items() if not uploaded]
    with files_within(runs):
        for first in range(0, len(left), _AT_ONCE):
            some = left[first : first + _AT_ONCE]
            subprocess.run([*program, *map(str, some)], check=False)
            after = offline_runs(runs)
            if lost := [folder for folder in some if not after[folder]]:
                raise CryoccdError(
                    f"W&B: {len(lost)} of {len(left)} runs did not arrive, such as {lost[0]}; what "
                    "wandb says stands above, the same command goes on"
                )
    told = f"W&B: {len(left)} runs uploaded, {len(found) - len(left)} were there"
    console.print(told, style="dim", markup=False, highlight=False)
    for folder in left:
        console.print(f"  {folder}", style="dim", markup=False, highlight=False, soft_wrap=True)
    save_views(runs, project, console)  # also of runs that were online, and never twice
    return left


def offline_runs(runs: Path) -> dict[Path, bool]:
    """Folders of offline runs, those of one run in the order of their times; whether uploaded."""
    files = [path for path in runs.rglob("offline-run-*/run-*.wandb") if path.is_file()]
    files.sort(key=lambda path: (path.parent.parent, path.name, path.parent.name))
    return {path.parent: _uploaded(path) for path in files}


def _uploaded(path: Path) -> bool:
    mark = path.with_name(f"{path.name}.synced")
    return mark.is_file() and mark.stat().st_mtime >= path.stat().st_mtime
