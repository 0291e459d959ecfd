"""What is kept of a fit and of what it generates, and when it must be made anew."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import cryoccd
from cryoccd.io.atomic import write_text
from cryoccd.io.checked import read_json
from cryoccd.launch.variants import MODEL

LOGGER = Path("configs/trainer/logger-wandb.yaml")


def begin_fit(folder: Path, key: str) -> None:
    """Keep a fit of the same key and version, whole or not; remove another.

    Args:
        folder: of the fit.
        key: hash of all that decides it, but for the version.
    """
    stamp, current = folder / "made_from.txt", f"{key} {cryoccd.__version__}\n"
    if folder.exists() and (not stamp.is_file() or stamp.read_text() != current):
        shutil.rmtree(folder)
    write_text(stamp, current)


def fit_arguments(
    files: Sequence[Path],
    trainer: Path,
    data: Mapping[str, Any],
    overrides: Mapping[str, Any],
    seed: int,
    folder: Path,
    tracked: Mapping[str, Any] | None = None,
) -> list[str]:
    """What `cryoccd fit` is given.

    Args:
        files: configurations of the method, in the order in which they are merged.
        trainer: configuration of the trainer.
        data: class_path and init_args of the data module, written into the folder.
        overrides: arguments of the model, by dotted names.
        seed: of everything.
        folder: of the fit.
        tracked: arguments of the W&B logger; None for the trainer's own.
    """
    path = folder / "data.yaml"
    write_text(path, yaml.safe_dump({"data": data}))
    logger = [] if tracked is None else [LOGGER]
    return [
        *(f"--config={each}" for each in (*files, path, trainer, *logger)),
        *(f"--{MODEL}{name}={as_text(value)}" for name, value in overrides.items()),
        f"--seed_everything={seed}",
        f"--trainer.default_root_dir={folder}",
        f"--trainer.logger.init_args.save_dir={folder}",
        *(f"--trainer.logger.init_args.{k}={as_text(v)}" for k, v in (tracked or {}).items()),
    ]


def keep_generated(output: Path, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Keep a set, perhaps unfinished, that was generated under the same facts; remove another."""
    if not output.exists():
        return
    records = [output / "manifest.json", *(output / ".items").glob("[!.]*.json")]
    known = [read_json(path)["made_by"] for path in records if path.is_file()]
    same = (
        facts.items() <= made_by.items() and made_by.get("set", {}) == settings for made_by in known
    )
    if not all(same):
        shutil.rmtree(output)


def as_text(value: object) -> str:
    """A value on a command line, that reads it as YAML."""
    return value if isinstance(value, str) else json.dumps(value)
