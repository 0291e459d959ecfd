"""One data set of a table: what every kind of table does with its cells."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console

import cryoccd
from cryoccd.errors import UnfitError
from cryoccd.io.folder import open_folder
from cryoccd.launch.fits import Fits
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.places import Places
from cryoccd.launch.training import TrainedOn
from cryoccd.metrics.card import Metric
from cryoccd.report.anchors import Anchors
from cryoccd.report.cells import ResultCell, cell_path, reusable
from cryoccd.report.provenance import hash_config, provenance


@dataclass(frozen=True)
class Row:
    """A row of the table in one column.

    Args:
        method: its name in the matrix, or that of an anchor.
        trained_on: what its model is fitted on; None for the anchors.
    """

    method: str
    trained_on: TrainedOn | None = None


@dataclass(frozen=True)
class Outcome:
    """What a cell holds.

    Args:
        metrics: figures by their names.
        choices: what the row itself chose.
    """

    metrics: dict[str, Metric]
    choices: dict[str, Any]


@dataclass(frozen=True)
class Column(ABC):
    """One data set with its real side, to which every row is compared.

    Args:
        spec: the data set.
        matrix: the protocol and the names.
        fits: makes what is compared.
        results: where cells are written.
        console: where the user is told what begins.
    """

    picture: ClassVar[str]
    """What its picture is called."""

    spec: DatasetSpec
    matrix: Matrix
    fits: Fits
    results: Path
    console: Console

    @property
    @abstractmethod
    def anchors(self) -> Anchors:
        """Rows that are no methods."""

    def check(self) -> None:
        """Refuse what is missing before any work begins.

        Raises:
            CryoccdError: a program that is not installed, or a recipe of other data.
        """
        return

    @abstractmethod
    def prepare(self) -> None:
        """Make the folders that are absent."""

    @abstractmethod
    def protocol(self) -> dict[str, Any]:
        """What figures depend on, equal for all rows."""

    @abstractmethod
    def decisive(self, row: Row, seed: int) -> dict[str, Any]:
        """All that decides a cell, but for the column's data, the protocol and the version."""

    @abstractmethod
    def draw(self, path: Path, rows: Sequence[Row], seeds: Sequence[int]) -> bool:
        """Draw what the figures cannot tell of finished cells; False where there is nothing."""

    @abstractmethod
    def evaluate(self, row: Row, seed: int) -> Outcome:
        """The figures of a row.

        Raises:
            UnfitError: the row cannot be made of these data.
        """

    @property
    def places(self) -> Places:
        """Its folders."""
        return self.fits.runs.data(self.spec.name)

    @property
    def data_hash(self) -> str:
        """Hash of its folders, which must be whole."""
        return self.places.hash

    @cached_property
    def diameter_A(self) -> float:
        """Of the particles, by the real side's optics."""
        return open_folder(self.places.real).optics().particle_diameter_A

    def config_hash(self, row: Row, seed: int) -> str:
        """Hash of all that decides a cell, but for the column's data and the version."""
        return hash_config({"protocol": self.protocol(), **self.decisive(row, seed)})

    def finished(self, row: Row, seed: int) -> bool:
        """Whether the cell is there and still stands."""
        place = (self.results, self.matrix.profile, self.matrix.table)
        path = cell_path(*place, row.method, self.spec.name, seed)
        if not path.is_file():
            return False
        hashes = self.config_hash(row, seed), self.data_hash
        cell = ResultCell.read(path)
        whole = set(self.matrix.metrics) <= set(cell.metrics)
        return whole and reusable(cell, *hashes, cryoccd.__version__)

    def make(self, row: Row, seed: int) -> None:
        """Make and write one cell; a row that cannot be made gets one that says why."""
        started = time.monotonic()
        try:
            outcome = self.evaluate(row, seed)
        except UnfitError as error:
            outcome = Outcome(_undefined(self.matrix.metrics, str(error)), {})
        known = self.matrix.variants
        ResultCell(
            table=self.matrix.table,
            method=row.method,
            dataset=self.spec.name,
            seed=seed,
            metrics={name: asdict(metric) for name, metric in outcome.metrics.items()},
            protocol=self.protocol()
            | {"split": "test", "domain": self.spec.recipe.domain, "choices": outcome.choices}
            | (row.trained_on.record() if row.trained_on else {})
            | ({"variant": known[row.method].record()} if row.method in known else {}),
            provenance=provenance(
                self.config_hash(row, seed),
                self.data_hash,
                time.monotonic() - started,
                self.fits.device,
            ),
        ).write(self.results, self.matrix.profile)


def _undefined(names: Sequence[str], reason: str) -> dict[str, Metric]:
    return {name: Metric(None, None, None, 0, "none", reason) for name in names}
