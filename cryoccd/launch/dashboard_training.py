"""Training curves and images seen, from the logs of the fits."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from cryoccd.launch.dashboard_rows import Rows
from cryoccd.launch.places import Runs
from cryoccd.report.web.dashboard import Curves, Training
from cryoccd.report.web.line_chart import Array, Chart, Line, stroke

IMAGES = "train/images"
_SHOWN = re.compile(r"train/loss|val/")
_MOST = 120  # points of a line
_SIZE_PX = (250, 170)


@dataclass(frozen=True)
class Fit:
    """The log of one fit.

    Args:
        method: what was fitted.
        label: what it was fitted on.
        seed: of the fit.
        log: every line of its logs, by images seen.
    """

    method: str
    label: str
    seed: str
    log: pd.DataFrame

    @property
    def name(self) -> str:
        """What a legend calls it within its method."""
        return self.label if self.seed == "0" else f"{self.label}, seed {self.seed}"

    def curve(self, column: str) -> tuple[Array, Array]:
        """Images seen and a column of the log, as means over at most 120 stretches."""
        rows = self.log[[IMAGES, column]].dropna().to_numpy(float)
        parts = np.array_split(rows, min(_MOST, len(rows)))
        means = np.array([part.mean(0) for part in parts])
        return means[:, 0], means[:, 1]


@dataclass(frozen=True)
class Logs:
    """The logs of the fits of one profile.

    Args:
        runs: where they are.
    """

    runs: Runs

    @cached_property
    def read(self) -> tuple[list[Fit], list[str]]:
        """Every fit with a log, and notes on logs that cannot be read."""
        fits, notes = [], []
        for folder in sorted((self.runs.root / "fit").glob("*__*__*")):
            files = sorted(folder.glob("logs/version_*/metrics.csv"), key=_version)
            try:
                logs = [pd.read_csv(path) for path in files if path.stat().st_size]
                logs = [log.astype(float).dropna(subset=IMAGES) for log in logs if IMAGES in log]
                logs = [log for log in logs if len(log)]
            except (OSError, ValueError) as error:
                notes.append(f"{folder.name}: its log is not readable ({error})")
                continue
            if logs:
                method, label, seed = folder.name.split("__", 2)
                log = pd.concat(logs, ignore_index=True).sort_values(IMAGES, kind="stable")
                fits.append(Fit(method, label, seed, log))
        return fits, notes

    def images(self, rows: Rows) -> dict[str, float]:
        """Images that the models of each row were trained with, each fit once; rows may share."""
        seen = {(f.method, f.label, f.seed): float(f.log[IMAGES].max()) for f in self.read[0]}
        found: dict[str, float] = {}
        for method in rows.methods:
            groups = (rows.table.cells.get((method, d), ()) for d in rows.table.datasets)
            trained = [cell for group in groups for cell in group if "training" in cell.protocol]
            fits = {(name, label, str(seed)) for name, label, seed in map(rows.fit, trained)}
            if known := [seen[fit] for fit in fits if fit in seen]:
                found[method] = sum(known)
        return found

    def training(self, profile: str) -> Training | None:
        """The curves, None without any."""
        fits, notes = self.read
        methods = dict.fromkeys(fit.method for fit in fits)
        curves = {m: _curves([fit for fit in fits if fit.method == m]) for m in methods}
        shown = {method: each for method, each in curves.items() if each}
        return Training(profile, shown, tuple(notes)) if shown or notes else None


def _curves(fits: list[Fit]) -> Curves | None:
    known = (str(name) for fit in fits for name in fit.log)
    names = dict.fromkeys(name for name in known if _SHOWN.match(name))
    charts = []
    for name in names:
        lines = tuple(
            Line(fit.name, *fit.curve(name), stroke(k))
            for k, fit in enumerate(fits)
            if name in fit.log and fit.log[name].notna().any()
        )
        if lines:
            title = name.removeprefix("train/")
            charts.append(Chart(title, "images seen", "", lines, size_px=_SIZE_PX))
    if not charts:
        return None
    empty = np.empty(0)
    drawn = tuple(Line(fit.name, empty, empty, stroke(k)) for k, fit in enumerate(fits))
    longest = max(len(fit.log) for fit in fits)
    caption = f"Means over {_MOST} stretches of the log." if longest > _MOST else ""
    return Curves(tuple(charts), drawn, tuple(line.name for line in drawn), caption)


def _version(path: Path) -> int:
    digits = path.parent.name.removeprefix("version_")
    return int(digits) if digits.isdigit() else -1
