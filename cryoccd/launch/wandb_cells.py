"""Result cells as runs of W&B, one run a cell.

W&B groups, filters, colours and averages runs: as runs, the cells of all tables and seeds stand in
its bar charts and in its table of runs by method, style and seed. A wandb.Table per results table
could not be grouped or filtered beside others, and each of its versions is an artifact.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from cryoccd.callbacks.wandb_run import PROJECT, Mode, files_within, open_run
from cryoccd.io.atomic import sha256_file, write_text
from cryoccd.io.checked import read_json
from cryoccd.report.cells import ResultCell

FOLDER = "wandb_cells"
_NOTES = "logged/*.json"


def track_cells(
    paths: Iterable[Path], runs: Path, console: Console, mode: Mode = "auto", project: str = PROJECT
) -> int:
    """Log the cells that have not been logged as they are.

    A cell of the same configuration and data keeps its run, whoever makes it.

    Args:
        paths: files of cells, results/PROFILE/TABLE/METHOD__DATASET__SEED.json.
        runs: their runs lie in its folder `wandb_cells`, with a note of each in `logged`.
        console: where it is told how many.
        mode: auto is online where there is a login, else offline.
        project: of W&B.

    Returns:
        How many were logged.
    """
    folder = runs / FOLDER
    done = {note["sha256"] for note in _notes(runs, FOLDER)}
    new = {path: sha for path in paths if (sha := sha256_file(path)) not in done}
    if not new:
        return 0
    with files_within(folder):
        for path, sha in new.items():
            cell, profile = ResultCell.read(path), path.parent.parent.name
            details = described(cell, profile)
            run = open_run(folder, mode, project=project, **details)
            run.summary.update(figures(cell))
            offline = run.offline
            run.finish()
            known = {"profile": profile, "table": cell.table, "sha256": sha}
            facts = {**known, "figures": list(cell.metrics)}
            note = folder / _NOTES.replace("*", details["id"])  # each its own: jobs may share them
            write_text(note, json.dumps(facts, indent=1) + "\n")
    place = f"offline in {folder}; upload them with --sync" if offline else "online"
    console.print(f"W&B: {len(new)} cells, {place}", style="dim", markup=False, soft_wrap=True)
    return len(new)


def known_tables(runs: Path) -> dict[tuple[str, str], list[str]]:
    """Profile and name of the tables whose cells were logged below a folder, with their figures."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for note in _notes(runs, f"**/{FOLDER}"):
        table = found.setdefault((note["profile"], note["table"]), {})
        table.update(dict.fromkeys(note["figures"]))
    return {table: list(figures) for table, figures in sorted(found.items())}


def described(cell: ResultCell, profile: str) -> dict[str, Any]:
    """What `wandb.init` is told of a cell."""
    hashes = [cell.provenance[key] for key in ("config_hash", "data_hash")]
    names = [profile, cell.table, cell.method, cell.dataset, str(cell.seed)]
    facts = {"table": cell.table, "profile": profile, "method": cell.method, "seed": cell.seed}
    return {
        "id": hashlib.sha256("\n".join([*names, *hashes]).encode()).hexdigest()[:16],
        "name": f"{cell.method} · {cell.dataset} · seed {cell.seed}",
        "group": f"{cell.table} · {cell.method}",
        "job_type": "cell",
        "tags": [cell.table, profile, cell.dataset, f"seed {cell.seed}"],
        "config": facts
        | {"style": cell.dataset, "protocol": cell.protocol, "provenance": cell.provenance},
    }


def figures(cell: ResultCell) -> dict[str, float]:
    """Values, and the ends of their intervals as NAME_low and NAME_high; undefined ones absent."""
    ends = (("", "value"), ("_low", "ci_low"), ("_high", "ci_high"))
    entries = {
        f"{name}{end}": entry[key] for name, entry in cell.metrics.items() for end, key in ends
    }
    return {name: float(value) for name, value in entries.items() if value is not None}


def _notes(runs: Path, folder: str) -> list[dict[str, Any]]:
    """What was noted of the cells that were logged; a note without a profile is of an old kind."""
    notes = [read_json(path) for path in sorted(runs.glob(f"{folder}/{_NOTES}"))]
    return [note for note in notes if "profile" in note]
