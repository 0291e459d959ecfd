"""Fits methods and translates with them, through the verbs that a user has."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.data.part import FolderPair
from cryoccd.io.atomic import sha256_file
from cryoccd.io.lock import locked
from cryoccd.launch.fit_folder import as_text, begin_fit, fit_arguments, keep_generated
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.places import Places, Runs, Use
from cryoccd.launch.training import TrainedOn
from cryoccd.report.provenance import hash_config

Command = Callable[[list[str]], None]
"""Runs one `cryoccd` command line; faults are raised."""

_OF_A_PAIR = {entry.name for entry in dataclasses.fields(FolderPair)}


@dataclass(frozen=True)
class Fits:
    """The models of a run: each is fitted once, whatever number of columns it serves.

    Args:
        matrix: methods and their arguments.
        runs: where checkpoints and generated sets are kept.
        command: runs `cryoccd fit ...` and `cryoccd translate ...`.
        device: where sets are translated; they are fitted where the trainer's configuration says.
        wandb: whether fits are tracked by W&B.
    """

    matrix: Matrix
    runs: Runs
    command: Command
    device: str
    wandb: bool = False
    _fitted: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    def hash(self, row: str, trained_on: TrainedOn, seed: int) -> str:
        """Hash of all that decides a row's model, but for the version."""
        files = [*self.matrix.method_configs(row), self.matrix.trainer]
        return hash_config(
            {
                "files": [path.read_text(encoding="utf8") for path in files],
                "overrides": self.matrix.overrides(row),
                "data": self._data(row),
                "seed": seed,
                "folders": [places.training_hash for places in self._places(row, trained_on)],
                **trained_on.record(),
            }
        )

    def prepare(self, spec: DatasetSpec) -> None:
        """Make the folders of a data set that models are fitted on, where they are absent."""
        for side in self.matrix.sides:
            places = self.runs.data(spec.name, side)
            spec.recipe_of(side).prepare(places.simulated, places.real)

    def checkpoint(self, row: str, trained_on: TrainedOn, seed: int) -> Path:
        """Fit a row's model, or go on where an earlier run of the same fit stopped.

        Raises:
            UnfitError: it cannot be fitted to these data.
        """
        name = self.matrix.fit_of(row)
        folder = self.runs.fit(name, trained_on.label, seed)
        checkpoint = folder / "last.ckpt"
        if checkpoint in self._fitted:
            return checkpoint
        with locked(self.runs.root / "locks" / f"fit__{folder.name}"):  # columns may share it
            self._fit(row, trained_on, seed, folder)
        self._fitted.add(checkpoint)
        return checkpoint

    def _fit(self, row: str, trained_on: TrainedOn, seed: int, folder: Path) -> None:
        begin_fit(folder, self.hash(row, trained_on, seed))
        title = f"fit · {self.matrix.fit_of(row)} · {trained_on.label}"
        arguments = self._arguments(row, trained_on, seed, folder)
        self.command(["fit", *arguments, f"--progress.title={title}"])

    def translate(
        self,
        row: str,
        trained_on: TrainedOn,
        dataset: str,
        seed: int,
        use: Use | None = None,
    ) -> Path:
        """Fit a row's model and translate a simulated side of a data set; the folder of it.

        The side is the one to be tested, or the one that pickers or estimators are trained on.

        Raises:
            UnfitError: it cannot be fitted to these data, or its sampler refuses the model.
        """
        checkpoint = self.checkpoint(row, trained_on, seed)
        places = self.runs.data(dataset, self.matrix.side_of(row))
        source = places.simulated_for(use) if use else places.simulated_test
        output = self.runs.generated(row, trained_on.label, dataset, seed, use)
        settings = self.matrix.variant(row).settings
        style = trained_on.style(dataset)
        facts = {
            "version": cryoccd.__version__,
            "checkpoint_sha256": sha256_file(checkpoint),
            "input_sha256": sha256_file(source / "manifest.json"),
            "style": style,
        }
        keep_generated(output, facts, settings)
        title = f"translate · {row} · {dataset}"
        argv = [f"--checkpoint={checkpoint}", f"--input={source}", f"--output={output}"]
        argv += [f"--seed={seed}", f"--style={style}", f"--device={self.device}"]
        argv += [f"--set={name}={as_text(value)}" for name, value in settings.items()]
        self.command(["translate", *argv, f"--title={title}", "--resume"])
        return output

    def _arguments(self, row: str, trained_on: TrainedOn, seed: int, folder: Path) -> list[str]:
        data, matrix = self._module(row, trained_on, seed), self.matrix
        files, overrides = matrix.method_configs(row), matrix.overrides(row)
        tracked = self.tracked(row, trained_on.styles, seed)
        return fit_arguments(files, matrix.trainer, data, overrides, seed, folder, tracked)

    def tracked(self, row: str, styles: Sequence[str], seed: int) -> dict[str, Any] | None:
        """How W&B calls a row's fit; None where fits are not tracked."""
        if not self.wandb:
            return None
        matrix, name = self.matrix, self.matrix.fit_of(row)
        return {
            "run_name": f"{name} · {'+'.join(styles)} · seed {seed}",
            "group": f"{matrix.table} · {name}",
            "tags": [matrix.table, matrix.profile, *styles, f"seed {seed}"],
        }

    def _data(self, row: str) -> dict[str, Any]:
        return {**self.matrix.data, **self.matrix.variant(row).data}

    def _places(self, row: str, trained_on: TrainedOn) -> list[Places]:
        side = self.matrix.side_of(row)
        return [self.runs.data(name, side) for name in trained_on.styles]

    def _module(self, row: str, trained_on: TrainedOn, seed: int) -> dict[str, Any]:
        data = self._data(row)
        own = {key: value for key, value in data.items() if key in _OF_A_PAIR}
        common = {key: value for key, value in data.items() if key not in own}
        pairs = [
            {"simulated": str(p.simulated), "real": str(p.real), "cache": str(p.ice_maps)} | own
            for p in self._places(row, trained_on)
        ]
        if trained_on.way == "mixed":
            name, folders = "mixed.MixedDataModule", {"parts": pairs}
        else:
            name, folders = "datamodule.CryoDataModule", pairs[0]
        return {
            "class_path": f"cryoccd.data.{name}",
            "init_args": {**folders, "seed": seed, **common},
        }
