"""Fits methods and translates with them, through the verbs that a user has."""

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import cryoccd
from cryoccd.data.part import FolderPair
from cryoccd.io.atomic import sha256_file, write_text
from cryoccd.io.checked import read_json
from cryoccd.launch.matrix import Matrix
from cryoccd.launch.places import Runs
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
    """

    matrix: Matrix
    runs: Runs
    command: Command
    device: str
    _fitted: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    def hash(self, method: str, trained_on: TrainedOn, seed: int) -> str:
        """Hash of all that decides a model, but for the version."""
        files = [*self.matrix.method_configs(method), self.matrix.trainer]
        return hash_config(
            {
                "files": [path.read_text(encoding="utf8") for path in files],
                "overrides": self.matrix.method_overrides.get(method, {}),
                "data": self.matrix.data,
                "seed": seed,
                "folders": [self.runs.data(name).training_hash for name in trained_on.styles],
                **trained_on.record(),
            }
        )

    def checkpoint(self, method: str, trained_on: TrainedOn, seed: int) -> Path:
        """Fit a method, or go on where an earlier run of the same fit stopped.

        Raises:
            UnfitError: it cannot be fitted to these data.
        """
        folder = self.runs.fit(method, trained_on.label, seed)
        checkpoint = folder / "last.ckpt"
        if checkpoint in self._fitted:
            return checkpoint
        stamp = folder / "made_from.txt"
        current = f"{self.hash(method, trained_on, seed)} {cryoccd.__version__}\n"
        if folder.exists() and (not stamp.is_file() or stamp.read_text() != current):
            shutil.rmtree(folder)  # a fit of another configuration or other data
        write_text(stamp, current)
        title = f"fit · {method} · {trained_on.label}"
        arguments = self._arguments(method, trained_on, seed, folder)
        self.command(["fit", *arguments, f"--progress.title={title}"])
        self._fitted.add(checkpoint)
        return checkpoint

    def translate(self, method: str, trained_on: TrainedOn, dataset: str, seed: int) -> Path:
        """Fit a method and translate the simulated test side of a data set; the folder of it."""
        checkpoint = self.checkpoint(method, trained_on, seed)
        source = self.runs.data(dataset).simulated_test
        output = self.runs.generated(method, trained_on.label, dataset, seed)
        style = trained_on.style(dataset)
        facts = {
            "version": cryoccd.__version__,
            "checkpoint_sha256": sha256_file(checkpoint),
            "input_sha256": sha256_file(source / "manifest.json"),
            "style": style,
        }
        if output.exists() and not _made_by(output, facts):
            shutil.rmtree(output)
        title = f"translate · {method} · {dataset}"
        argv = [f"--checkpoint={checkpoint}", f"--input={source}", f"--output={output}"]
        argv += [f"--seed={seed}", f"--style={style}", f"--device={self.device}"]
        self.command(["translate", *argv, f"--title={title}", "--resume"])
        return output

    def _arguments(self, method: str, trained_on: TrainedOn, seed: int, folder: Path) -> list[str]:
        data = folder / "data.yaml"
        write_text(data, yaml.safe_dump({"data": self._data(trained_on, seed)}))
        files = [*self.matrix.method_configs(method), data, self.matrix.trainer]
        overrides = self.matrix.method_overrides.get(method, {})
        return [
            *(f"--config={path}" for path in files),
            *(f"--model.init_args.{name}={value}" for name, value in overrides.items()),
            f"--seed_everything={seed}",
            f"--trainer.default_root_dir={folder}",
            f"--trainer.logger.init_args.save_dir={folder}",
        ]

    def _data(self, trained_on: TrainedOn, seed: int) -> dict[str, Any]:
        own = {key: value for key, value in self.matrix.data.items() if key in _OF_A_PAIR}
        common = {key: value for key, value in self.matrix.data.items() if key not in own}
        places = [self.runs.data(name) for name in trained_on.styles]
        pairs = [
            {"simulated": str(p.simulated), "real": str(p.real), "cache": str(p.ice_maps)} | own
            for p in places
        ]
        if trained_on.way == "mixed":
            name, folders = "mixed.MixedDataModule", {"parts": pairs}
        else:
            name, folders = "datamodule.CryoDataModule", pairs[0]
        return {
            "class_path": f"cryoccd.data.{name}",
            "init_args": {**folders, "seed": seed, **common},
        }


def _made_by(output: Path, facts: dict[str, Any]) -> bool:
    """Whether a (perhaps unfinished) generated set was made under these facts."""
    records = [output / "manifest.json", *(output / ".items").glob("[!.]*.json")]
    return all(
        facts.items() <= read_json(path)["made_by"].items() for path in records if path.is_file()
    )
