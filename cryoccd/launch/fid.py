"""Every cell of a table: the two anchors, and each row fitted, translated, evaluated."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rich.console import Console

from cryoccd.launch.column import Column, Row
from cryoccd.launch.fits import Command, Fits
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.places import Runs
from cryoccd.launch.training import TrainedOn, trains
from cryoccd.metrics.networks.deep import DeepWeights
from cryoccd.report.cells import CEILING, FLOOR


@dataclass(frozen=True)
class FidTable:
    """Runs the cells of a matrix that are not finished.

    Args:
        matrix: rows and data sets; its table's name is that of this way of training.
        seeds: seeds of each.
        results: where cells are written.
        runs: where data, checkpoints and generated sets are kept.
        command: runs `cryoccd fit ...` and `cryoccd translate ...`.
        console: where the user is told what begins.
        device: where sets are translated; they are fitted where the trainer's configuration says.
        weights: networks for photographs that the report has beside.
        mixed: what methods that train are fitted on; None for each column on itself.
    """

    matrix: Matrix
    seeds: Sequence[int]
    results: Path
    runs: Path
    command: Command
    console: Console
    device: str = "cpu"
    weights: DeepWeights = field(default_factory=DeepWeights)
    mixed: TrainedOn | None = None

    @cached_property
    def fits(self) -> Fits:
        """The models of this run."""
        folders = Runs(self.runs / self.matrix.profile)
        return Fits(self.matrix, folders, self.command, self.device)

    def trained_on(self, method: str, spec: DatasetSpec) -> TrainedOn:
        """What a method's model for a column is fitted on: analytic ones on the column alone."""
        if self.mixed and trains(self.matrix.method_configs(method)):
            return self.mixed
        return TrainedOn("per_style", (spec,))

    def check(self) -> None:
        """Refuse what the data sets lack, before hours are spent on the others.

        Raises:
            CryoccdError: of a recipe.
        """
        for spec in (*(self.mixed.specs if self.mixed else ()), *self.matrix.datasets):
            for side in self.matrix.sides:
                spec.recipe_of(side).check()

    def run(self) -> None:
        """Make every missing cell; an interrupted run goes on where it stopped."""
        total = (len(self.matrix.methods) + 2) * len(self.matrix.datasets) * len(self.seeds)
        done, made, started = 0, 0, time.monotonic()
        for spec in self.mixed.specs if self.mixed else ():
            self.console.rule(f"training data · {spec.name}")
            self.fits.prepare(spec)
        for spec in self.matrix.datasets:
            self.console.rule(f"data · {spec.name}")
            column = self._column(spec)
            column.prepare()
            for seed in self.seeds:
                for row in self._rows(spec):
                    if not column.finished(row, seed):
                        left = ""
                        if made:
                            minutes = (time.monotonic() - started) / made * (total - done) / 60
                            left = f" · about {minutes:.0f} min left"
                        name = f"{row.method} · {spec.name}"
                        self.console.rule(f"cell {done + 1} of {total} · {name}{left}")
                        column.make(row, seed)
                        made += 1
                    done += 1

    def generated(self, method: str, spec: DatasetSpec, seed: int) -> Path:
        """Where the translated micrographs of a cell are."""
        label = self.trained_on(method, spec).label
        return self.fits.runs.generated(method, label, spec.name, seed)

    def _rows(self, spec: DatasetSpec) -> list[Row]:
        methods = [Row(method, self.trained_on(method, spec)) for method in self.matrix.methods]
        return [Row(FLOOR), *methods, Row(CEILING)]

    def _column(self, spec: DatasetSpec) -> Column:
        return Column(spec, self.matrix, self.fits, self.results, self.console, self.weights)
