"""The cells of one data set: what is compared, and what is written of it."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

import cryoccd
from cryoccd.errors import UnfitError
from cryoccd.geometry import item_seed
from cryoccd.io.atomic import sha256_file
from cryoccd.io.folder import open_folder
from cryoccd.launch.fits import Fits
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.places import Places
from cryoccd.launch.training import TrainedOn
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.detectability import Detectability
from cryoccd.metrics.images import MicrographSet, read_set
from cryoccd.metrics.noise_report import Metric, NoiseProtocol, noise_report
from cryoccd.report.cells import FLOOR, ResultCell, cell_path, reusable
from cryoccd.report.provenance import hash_config, provenance


@dataclass(frozen=True)
class Row:
    """A row of the table in one column.

    Args:
        method: its name, or that of an anchor.
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
        inception_weights: file of the Inception-v3 weights, None leaves those metrics out.
    """

    spec: DatasetSpec
    matrix: Matrix
    fits: Fits
    results: Path
    console: Console
    inception_weights: Path | None

    @property
    def places(self) -> Places:
        """Its folders."""
        return self.fits.runs.data(self.spec.name)

    def prepare(self) -> None:
        """Make the folders that are absent."""
        recipe = self.spec.recipe
        recipe.prepare(self.places.simulated, self.places.real)
        recipe.prepare_test(self.places.simulated_test, self.places.real)

    @cached_property
    def real_test(self) -> MicrographSet:
        """The real side that every row is compared with."""
        return read_set(self.places.real, "test")

    @cached_property
    def real_train(self) -> MicrographSet:
        """The real side that methods are fitted on."""
        return read_set(self.places.real, "train")

    @cached_property
    def protocol(self) -> NoiseProtocol:
        """The pinned protocol of the evaluation."""
        return NoiseProtocol(
            crop_px=self.matrix.crop_px,
            crops_per_micrograph=self.matrix.crops_per_micrograph,
            tile_px=self.matrix.tile_px,
            particle_diameter_A=open_folder(self.places.real).optics().particle_diameter_A,
        )

    @cached_property
    def detectability(self) -> Detectability | None:
        """The matched filter of the real training split; None without picks."""
        train, diameter_A = self.real_train, self.protocol.particle_diameter_A
        if train.centres_px is None or diameter_A is None:
            return None
        return Detectability.fit(train.images, train.centres_px, diameter_A / train.pixel_size_A)

    def config_hash(self, row: Row, seed: int) -> str:
        """Hash of all that decides a cell, but for the column's data and the version."""
        weights = self.inception_weights
        model = row.trained_on and self.fits.hash(row.method, row.trained_on, seed)
        return hash_config(
            {
                "protocol": asdict(self.protocol),
                "seed": seed,
                "inception": sha256_file(weights) if weights else None,
                "model": model,
            }
        )

    def finished(self, row: Row, seed: int) -> bool:
        """Whether the cell is there and still stands."""
        place = (self.results, self.matrix.profile, self.matrix.table)
        path = cell_path(*place, row.method, self.spec.name, seed)
        if not path.is_file():
            return False
        hashes = self.config_hash(row, seed), self.places.hash
        return reusable(ResultCell.read(path), *hashes, cryoccd.__version__)

    def make(self, row: Row, seed: int) -> None:
        """Make and write one cell; a method that cannot be fitted gets one that says why."""
        started = time.monotonic()
        chosen: dict[str, Any] = {}
        try:
            if row.trained_on:
                generated, chosen = self._generate(row.method, row.trained_on, seed)
            elif row.method == FLOOR:
                generated = self.real_train.first(len(self.real_test))
            else:
                generated = _white(self.real_test, item_seed(seed, "white", self.spec.name))
            metrics = self._evaluate(row.method, generated)
        except UnfitError as error:
            metrics = _undefined(self.matrix.metrics, str(error))
        ResultCell(
            table=self.matrix.table,
            method=row.method,
            dataset=self.spec.name,
            seed=seed,
            metrics={name: asdict(metric) for name, metric in metrics.items()},
            protocol=self.protocol.as_dict(self.inception_weights)
            | {"split": "test", "domain": self.spec.recipe.domain, "choices": chosen}
            | (row.trained_on.record() if row.trained_on else {}),
            provenance=provenance(
                self.config_hash(row, seed),
                self.places.hash,
                time.monotonic() - started,
                self.fits.device,
            ),
        ).write(self.results, self.matrix.profile)

    def _generate(
        self, method: str, trained_on: TrainedOn, seed: int
    ) -> tuple[MicrographSet, dict[str, Any]]:
        folder = self.fits.translate(method, trained_on, self.spec.name, seed)
        model = load_translator(self.fits.checkpoint(method, trained_on, seed))
        return read_set(folder), dict(model.choices())

    def _evaluate(self, method: str, generated: MicrographSet) -> dict[str, Metric]:
        with self.console.status(f"evaluate · {method} · {self.spec.name}"):
            return noise_report(
                self.real_test.first(len(generated)),
                generated,
                self.detectability,
                self.protocol,
                self.inception_weights,
            )


def _undefined(names: Sequence[str], reason: str) -> dict[str, Metric]:
    return {name: Metric(None, None, None, 0, "none", reason) for name in names}


def _white(like: MicrographSet, seed: int) -> MicrographSet:
    """White Gaussian noise on the fields and at the picks of another set."""
    generator = torch.Generator().manual_seed(seed)
    images = tuple(torch.randn(image.shape, generator=generator) for image in like.images)
    return MicrographSet(images, like.centres_px, like.pixel_size_A)
