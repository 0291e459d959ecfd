"""The cells of one data set: what is compared, and what is written of it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console

import cryoccd
from cryoccd.errors import UnfitError
from cryoccd.io.folder import open_folder
from cryoccd.launch.fits import Fits
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.places import Places
from cryoccd.launch.training import TrainedOn
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.anchors import white_like
from cryoccd.metrics.card import Described, Metric, ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.fields import FieldFolder, read_fields
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.networks.deep import DeepWeights
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import fitting_protocol, lens_of, standard_card
from cryoccd.randomness import item_seed
from cryoccd.report.cells import FLOOR, ResultCell, cell_path, reusable
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
class Column:
    """One data set with its real side, to which every row is compared.

    Args:
        spec: the data set.
        matrix: the protocol and the names.
        fits: makes what is compared.
        results: where cells are written.
        console: where the user is told what begins.
        weights: networks for photographs that the report has beside.
    """

    spec: DatasetSpec
    matrix: Matrix
    fits: Fits
    results: Path
    console: Console
    weights: DeepWeights

    @property
    def places(self) -> Places:
        """Its folders."""
        return self.fits.runs.data(self.spec.name)

    def prepare(self) -> None:
        """Make the folders that are absent."""
        self.fits.prepare(self.spec)
        for side in self.matrix.sides:
            places = self.fits.runs.data(self.spec.name, side)
            self.spec.recipe_of(side).prepare_test(places.simulated_test, places.real)

    @cached_property
    def real_test(self) -> FieldFolder:
        """The real side that every row is compared with."""
        return read_fields(self.places.real, "test", diameter_A=self._diameter_A)

    @cached_property
    def real_train(self) -> FieldFolder:
        """The real side that methods are fitted on."""
        return read_fields(self.places.real, "train", diameter_A=self._diameter_A)

    @cached_property
    def clean_test(self) -> FieldFolder:
        """What is translated; its clean images tell what contrast equals the real one."""
        return read_fields(self.places.simulated_test, diameter_A=self._diameter_A)

    @cached_property
    def protocol(self) -> NoiseProtocol:
        """The pinned protocol of the evaluation."""
        asked = NoiseProtocol(
            crop_px=self.matrix.crop_px,
            crops_per_micrograph=self.matrix.crops_per_micrograph,
            tile_px=self.matrix.tile_px,
            particle_diameter_A=self._diameter_A,
        )
        return fitting_protocol(asked, [self.real_test, self.real_train, self.clean_test])

    @cached_property
    def card(self) -> ReportCard:
        """The measures, with what they learn from the real training split."""
        scattering = ScatteringExtractor(self.protocol.crop_px)
        learnt = Learnt.of(self.real_train, self.clean_test, scattering, self.protocol)
        deep = self.weights.measures(self.real_test, self.protocol, self.fits.device)
        return standard_card(self.protocol, learnt, scattering, lens_of(self.clean_test), deep)

    @cached_property
    def described(self) -> Described:
        """The real side, measured once for all rows."""
        return self.card.describe(self.real_test, "real")

    def config_hash(self, row: Row, seed: int) -> str:
        """Hash of all that decides a cell, but for the column's data and the version."""
        model = row.trained_on and self.fits.hash(row.method, row.trained_on, seed)
        decisive: dict[str, Any] = {
            "protocol": asdict(self.protocol),
            "seed": seed,
            "weights": self.weights.sha256,
            "model": model,
        }
        if settings := self.matrix.variant(row.method).settings:
            decisive["set"] = settings
        if side := self.matrix.side_of(row.method):
            decisive["side"] = self.fits.runs.data(self.spec.name, side).hash
        return hash_config(decisive)

    def finished(self, row: Row, seed: int) -> bool:
        """Whether the cell is there and still stands."""
        place = (self.results, self.matrix.profile, self.matrix.table)
        path = cell_path(*place, row.method, self.spec.name, seed)
        if not path.is_file():
            return False
        hashes = self.config_hash(row, seed), self.places.hash
        cell = ResultCell.read(path)
        whole = set(self.matrix.metrics) <= set(cell.metrics)
        return whole and reusable(cell, *hashes, cryoccd.__version__)

    def make(self, row: Row, seed: int) -> None:
        """Make and write one cell; a method that cannot be fitted gets one that says why."""
        started = time.monotonic()
        chosen: dict[str, Any] = {}
        generated: Iterable[Field]
        try:
            if row.trained_on:
                generated, chosen = self._generate(row.method, row.trained_on, seed)
            elif row.method == FLOOR:
                generated = self.real_train
            else:
                generated = white_like(self.real_test, item_seed(seed, "white", self.spec.name))
            metrics = self._evaluate(row.method, generated)
        except UnfitError as error:
            metrics = _undefined(self.matrix.metrics, str(error))
        ResultCell(
            table=self.matrix.table,
            method=row.method,
            dataset=self.spec.name,
            seed=seed,
            metrics={name: asdict(metric) for name, metric in metrics.items()},
            protocol=self.protocol.as_dict()
            | self.weights.protocol()
            | {"split": "test", "domain": self.spec.recipe.domain, "choices": chosen}
            | (row.trained_on.record() if row.trained_on else {})
            | self._variant(row.method),
            provenance=provenance(
                self.config_hash(row, seed),
                self.places.hash,
                time.monotonic() - started,
                self.fits.device,
            ),
        ).write(self.results, self.matrix.profile)

    def _generate(
        self, method: str, trained_on: TrainedOn, seed: int
    ) -> tuple[FieldFolder, dict[str, Any]]:
        folder = self.fits.translate(method, trained_on, self.spec.name, seed)
        settings = self.matrix.variant(method).settings
        model = load_translator(self.fits.checkpoint(method, trained_on, seed), settings)
        return read_fields(folder, diameter_A=self._diameter_A), dict(model.choices())

    def _variant(self, method: str) -> dict[str, Any]:
        """The entry of a cell's protocol that says what the row changes of its method."""
        known = self.matrix.variants
        return {"variant": known[method].record()} if method in known else {}

    def _evaluate(self, method: str, generated: Iterable[Field]) -> dict[str, Metric]:
        with self.console.status(f"evaluate · {method} · {self.spec.name}"):
            return self.card.compare(self.described, self.card.describe(generated, "generated"))

    @cached_property
    def _diameter_A(self) -> float:
        return open_folder(self.places.real).optics().particle_diameter_A


def _undefined(names: Sequence[str], reason: str) -> dict[str, Metric]:
    return {name: Metric(None, None, None, 0, "none", reason) for name in names}
