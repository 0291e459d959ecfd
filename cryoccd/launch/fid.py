"""Every cell of the FID table: fit, translate, evaluate; and the two anchors."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console

import cryoccd
from cryoccd.errors import UnfitError
from cryoccd.geometry import item_seed
from cryoccd.io.atomic import sha256_file, write_text
from cryoccd.io.folder import open_folder
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.detectability import Detectability
from cryoccd.metrics.images import MicrographSet, read_set
from cryoccd.metrics.noise_report import Metric, NoiseProtocol, noise_report
from cryoccd.report.cells import CEILING, FLOOR, ResultCell, cell_path, reusable
from cryoccd.report.provenance import hash_config, hash_folder, provenance

Command = Callable[[list[str]], None]
"""Runs one `cryoccd` command line; faults are raised."""


@dataclass(frozen=True)
class Places:
    """Folders of one data set of a run."""

    root: Path

    @property
    def real(self) -> Path:
        """Real side, or what plays it."""
        return self.root / "real"

    @property
    def simulated(self) -> Path:
        """Simulated side for training."""
        return self.root / "simulated"

    @property
    def simulated_test(self) -> Path:
        """Simulated side to be translated."""
        return self.root / "simulated_test"


@dataclass(frozen=True)
class FidTable:
    """Runs the cells of a matrix that are not finished.

    Args:
        matrix: methods and data sets.
        seeds: seeds of each.
        results: where cells are written.
        runs: where data, checkpoints and generated sets are kept.
        command: runs `cryoccd fit ...` and `cryoccd translate ...`.
        console: where the user is told what begins.
        device: where sets are translated; they are fitted where the trainer's configuration says.
        inception_weights: file of the Inception-v3 weights, None leaves those metrics out.
    """

    matrix: Matrix
    seeds: Sequence[int]
    results: Path
    runs: Path
    command: Command
    console: Console
    device: str = "cpu"
    inception_weights: Path | None = None

    def run(self) -> None:
        """Make every missing cell; an interrupted run goes on where it stopped."""
        rows = [FLOOR, *self.matrix.methods, CEILING]
        total = len(rows) * len(self.matrix.datasets) * len(self.seeds)
        done, made, started = 0, 0, time.monotonic()
        for spec in self.matrix.datasets:
            self.console.rule(f"data · {spec.name}")
            column = _Column(self, spec)
            column.prepare()
            for seed in self.seeds:
                for method in rows:
                    if not column.finished(method, seed):
                        left = ""
                        if made:
                            minutes = (time.monotonic() - started) / made * (total - done) / 60
                            left = f" · about {minutes:.0f} min left"
                        self.console.rule(
                            f"cell {done + 1} of {total} · {method} · {spec.name}{left}"
                        )
                        column.make(method, seed)
                        made += 1
                    done += 1

    def places(self, dataset: str) -> Places:
        """Folders of a data set."""
        return Places(self.runs / self.matrix.profile / "data" / dataset)

    def fit_folder(self, method: str, dataset: str, seed: int) -> Path:
        """Checkpoint and configuration of a fit."""
        return self.runs / self.matrix.profile / "fit" / f"{method}__{dataset}__{seed}"

    def generated_folder(self, method: str, dataset: str, seed: int) -> Path:
        """Translated micrographs of a fit."""
        return self.runs / self.matrix.profile / "generated" / f"{method}__{dataset}__{seed}"


class _Column:
    """The cells of one data set."""

    def __init__(self, table: FidTable, spec: DatasetSpec) -> None:
        self.table, self.spec, self.matrix = table, spec, table.matrix
        self.places = table.places(spec.name)

    def prepare(self) -> None:
        """Make the folders that are absent."""
        recipe = self.spec.recipe
        recipe.prepare(self.places.simulated, self.places.real)
        recipe.prepare_test(self.places.simulated_test, self.places.real)

    @cached_property
    def data_hash(self) -> str:
        """Hash of all three folders."""
        folders = (self.places.real, self.places.simulated, self.places.simulated_test)
        return hash_config([hash_folder(folder) for folder in folders])

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

    def config_hash(self, method: str, seed: int) -> str:
        """Hash of all that decides a cell, but for the data and the version."""
        weights = self.table.inception_weights
        parts: dict[str, Any] = {
            "protocol": asdict(self.protocol),
            "seed": seed,
            "inception": sha256_file(weights) if weights else None,
        }
        if method not in (FLOOR, CEILING):
            files = [*self.matrix.method_configs(method), self.matrix.trainer]
            parts["files"] = [path.read_text(encoding="utf8") for path in files]
            parts["overrides"] = self.matrix.method_overrides.get(method, {})
            parts["data"] = self.matrix.data
        return hash_config(parts)

    def finished(self, method: str, seed: int) -> bool:
        """Whether the cell is there and still stands."""
        place = (self.table.results, self.matrix.profile, self.matrix.table)
        path = cell_path(*place, method, self.spec.name, seed)
        if not path.is_file():
            return False
        hashes = self.config_hash(method, seed), self.data_hash
        return reusable(ResultCell.read(path), *hashes, cryoccd.__version__)

    def make(self, method: str, seed: int) -> None:
        """Make and write one cell; a method that cannot be fitted gets one that says why."""
        started = time.monotonic()
        chosen: dict[str, Any] = {}
        try:
            if method == FLOOR:
                generated = self.real_train.first(len(self.real_test))
            elif method == CEILING:
                generated = _white(self.real_test, item_seed(seed, "white", self.spec.name))
            else:
                generated, chosen = self._generate(method, seed)
            metrics = self._evaluate(method, generated)
        except UnfitError as error:
            metrics = {
                name: Metric(None, None, None, 0, "none", str(error))
                for name in self.matrix.metrics
            }
        ResultCell(
            table=self.matrix.table,
            method=method,
            dataset=self.spec.name,
            seed=seed,
            metrics={name: asdict(metric) for name, metric in metrics.items()},
            protocol=self.protocol.as_dict(self.table.inception_weights)
            | {"split": "test", "domain": self.spec.recipe.domain, "choices": chosen},
            provenance=provenance(
                self.config_hash(method, seed),
                self.data_hash,
                time.monotonic() - started,
                self.table.device,
            ),
        ).write(self.table.results, self.matrix.profile)

    def _evaluate(self, method: str, generated: MicrographSet) -> dict[str, Metric]:
        with self.table.console.status(f"evaluate · {method} · {self.spec.name}"):
            return noise_report(
                self.real_test.first(len(generated)),
                generated,
                self.detectability,
                self.protocol,
                self.table.inception_weights,
            )

    def _generate(self, method: str, seed: int) -> tuple[MicrographSet, dict[str, Any]]:
        """Fit a method and translate the simulated test side with it."""
        folder = self.table.fit_folder(method, self.spec.name, seed)
        output = self.table.generated_folder(method, self.spec.name, seed)
        stamp = folder / "cell.txt"
        current = f"{self.config_hash(method, seed)} {self.data_hash} {cryoccd.__version__}\n"
        if folder.exists() and (not stamp.is_file() or stamp.read_text() != current):
            shutil.rmtree(folder)  # a fit of another configuration or other data
            shutil.rmtree(output, ignore_errors=True)
        write_text(stamp, current)
        checkpoint = folder / "last.ckpt"
        title = f"fit · {method} · {self.spec.name}"
        arguments = self._fit_arguments(method, seed, folder)
        self.table.command(["fit", *arguments, f"--progress.title={title}"])
        model = load_translator(checkpoint)
        if output.exists() and not _made_by(output, checkpoint):
            shutil.rmtree(output)
        title = f"translate · {method} · {self.spec.name}"
        source = self.places.simulated_test
        argv = [f"--checkpoint={checkpoint}", f"--input={source}", f"--output={output}"]
        argv += [f"--seed={seed}", f"--device={self.table.device}", f"--title={title}", "--resume"]
        self.table.command(["translate", *argv])
        return read_set(output), dict(model.choices())

    def _fit_arguments(self, method: str, seed: int, folder: Path) -> list[str]:
        data = {
            "class_path": "cryoccd.data.datamodule.CryoDataModule",
            "init_args": {
                "simulated": str(self.places.simulated),
                "real": str(self.places.real),
                "cache": str(self.places.root / "ice_maps"),
                "seed": seed,
                **self.matrix.data,
            },
        }
        write_text(folder / "data.yaml", yaml.safe_dump({"data": data}))
        files = [*self.matrix.method_configs(method), folder / "data.yaml", self.matrix.trainer]
        overrides = self.matrix.method_overrides.get(method, {})
        return [
            *(f"--config={path}" for path in files),
            *(f"--model.init_args.{name}={value}" for name, value in overrides.items()),
            f"--seed_everything={seed}",
            f"--trainer.default_root_dir={folder}",
            f"--trainer.logger.init_args.save_dir={folder}",
        ]


def _made_by(output: Path, checkpoint: Path) -> bool:
    """Whether a (perhaps unfinished) generated set is of this checkpoint."""
    wanted = sha256_file(checkpoint)
    records = [output / "manifest.json", *(output / ".items").glob("[!.]*.json")]
    return all(wanted in path.read_text() for path in records if path.is_file())


def _white(like: MicrographSet, seed: int) -> MicrographSet:
    """White Gaussian noise on the fields and at the picks of another set."""
    generator = torch.Generator().manual_seed(seed)
    images = tuple(torch.randn(image.shape, generator=generator) for image in like.images)
    return MicrographSet(images, like.centres_px, like.pixel_size_A)
