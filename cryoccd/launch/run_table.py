"""Every cell of a table: the anchors, and each row."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rich.console import Console

from cryoccd.io.lock import locked
from cryoccd.launch.column import Column, Row
from cryoccd.launch.fits import Command, Fits
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.places import Runs
from cryoccd.launch.training import TrainedOn, trains

ColumnKind = Callable[[DatasetSpec, Matrix, Fits, Path, Console], Column]
"""Makes a column of a data set."""


@dataclass(frozen=True)
class RunTable:
    """Runs the cells of a matrix that are not finished.

    Args:
        matrix: rows and data sets; its table's name is that of this way of training.
        seeds: seeds of each.
        results: where cells are written.
        runs: where data, checkpoints and generated sets are kept.
        command: runs `cryoccd fit ...` and `cryoccd translate ...`.
        kind: makes a column of the table.
        console: where the user is told what begins.
        device: where sets are translated; they are fitted where the trainer's configuration says.
        mixed: what methods that train are fitted on; None for each column on itself.
        wandb: whether fits are tracked by W&B.
    """

    matrix: Matrix
    seeds: Sequence[int]
    results: Path
    runs: Path
    command: Command
    kind: ColumnKind
    console: Console
    device: str = "cpu"
    mixed: TrainedOn | None = None
    wandb: bool = False

    @cached_property
    def fits(self) -> Fits:
        """The models of this run."""
        folders = Runs(self.runs / self.matrix.profile)
        return Fits(self.matrix, folders, self.command, self.device, self.wandb)

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
                spec.maker(side).check()
        for column in self.columns:
            column.check()

    def run(self) -> None:
        """Make every missing cell; an interrupted run goes on where it stopped."""
        total = sum(len(self.rows(column)) for column in self.columns) * len(self.seeds)
        done, made, started = 0, 0, time.monotonic()
        for spec in self.mixed.specs if self.mixed else ():
            self.console.rule(f"training data · {spec.name}")
            with self._alone("data", spec.name):
                self.fits.prepare(spec)
        for column in self.columns:
            name = column.spec.name
            self.console.rule(f"data · {name}")
            with self._alone("data", name):
                column.prepare()
            for seed in self.seeds:
                for row in self.rows(column):
                    with self._alone("cells", self.matrix.table, row.method, name, str(seed)):
                        if not column.finished(row, seed):
                            left = ""
                            if made:
                                minutes = (time.monotonic() - started) / made * (total - done) / 60
                                left = f" · about {minutes:.0f} min left"
                            cell = f"cell {done + 1} of {total} · {row.method} · {name}"
                            self.console.rule(f"{cell}{left}")
                            column.make(row, seed)
                            made += 1
                    done += 1

    def _alone(self, *names: str) -> AbstractContextManager[None]:
        """Wait for another process that makes the same: it is then there."""
        return locked(self.runs / self.matrix.profile / "locks" / "__".join(names))

    @cached_property
    def columns(self) -> list[Column]:
        """The column groups in order."""
        known = (self.matrix, self.fits, self.results, self.console)
        return [self.kind(spec, *known) for spec in self.matrix.datasets]

    def rows(self, column: Column) -> list[Row]:
        """The rows in a column, anchors among them."""
        anchors, spec = column.anchors, column.spec
        methods = [Row(method, self.trained_on(method, spec)) for method in self.matrix.methods]
        return [*map(Row, anchors.first), *methods, *map(Row, anchors.last)]
