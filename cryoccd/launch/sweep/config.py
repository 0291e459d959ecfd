"""What a sweep file says: a command, axes of values, resources of a job, a reduction.

    name: learning-rate
    command: fit --config=configs/method/cryogem.yaml --config=configs/trainer/gpu.yaml
    axes:
      grid: {seed_everything: [0, 1]}                        all combinations
      list: [{model.init_args.snr: 0.1}, {model.init_args.snr: 0.2}]    as they stand
      random:                                                 seeded draws
        draws: 8
        flags: {model.init_args.lambda_nce: {log_uniform: [0.1, 10]}}
    resources: {hours: 4, cpus: 4, gpus: 1, memory_GB: 16}
    reduce: table fid --allow-missing

Files are OmegaConf: values may refer to others, see `cryoccd.launch.sweep.expand`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cryoccd.errors import CryoccdError
from cryoccd.launch.sweep.dotted import nested

_Entries = list[Any]  # the name is taken in the class that needs it
_LEAST = {"turns": 1, "cpus": 1, "gpus": 0, "nodes": 1, "tasks_per_node": 1}
_NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")


@dataclass
class Random:
    """Seeded draws; draw k of a flag is the same whatever else is drawn.

    Args:
        draws: how many.
        seed: of all of them.
        flags: what each flag is drawn from: {uniform: [a, b]}, {log_uniform: [a, b]} or
            {choice: [...]}.
    """

    draws: int = 0
    seed: int = 0
    flags: dict[str, Any] = field(default_factory=dict)


@dataclass
class Axes:
    """What changes from job to job; every choice of one axis meets every choice of the others.

    Args:
        grid: flag to its values.
        list: mappings of flags to values that go together.
        random: seeded draws.
    """

    grid: dict[str, Any] = field(default_factory=dict)
    list: _Entries = field(default_factory=lambda: [])
    random: Random = field(default_factory=Random)


@dataclass
class Resources:
    """What one job takes.

    Args:
        hours: longest time that it runs; SLURM stops it then, and it goes on in a new turn.
        turns: how often SLURM begins it; one that is stopped in the last has failed.
        cpus: cores of each task.
        gpus: of each node.
        memory_GB: of each node.
        disk_GB: that it leaves on disk, for the sum that a dry run shows.
        nodes: how many.
        tasks_per_node: processes of a fit on each of them.
        partition: of the cluster; None takes its default.
        sbatch: further options of sbatch, such as --account=cryo.
    """

    hours: float = 1.0
    turns: int = 20
    cpus: int = 1
    gpus: int = 0
    memory_GB: float = 4.0
    disk_GB: float = 1.0
    nodes: int = 1
    tasks_per_node: int = 1
    partition: str | None = None
    sbatch: list[str] = field(default_factory=list)


@dataclass
class Sweep:
    """A sweep file.

    Args:
        name: of the folder under runs/sweep.
        command: a verb with the arguments that all jobs share.
        axes: what changes.
        resources: of one job.
        makes: files that a finished job has left; it runs again where one is gone.
        reduce: a command that runs after all jobs, also where some have failed.
    """

    name: str = ""
    command: str = ""
    axes: Axes = field(default_factory=Axes)
    resources: Resources = field(default_factory=Resources)
    makes: list[str] = field(default_factory=list)
    reduce: str | None = None


def read_sweep(path: Path, changes: Sequence[str] = ()) -> DictConfig:
    """A sweep file with some values replaced, interpolations not yet resolved.

    Args:
        path: the file.
        changes: words such as axes.random.draws=4.

    Raises:
        CryoccdError: the file is absent or malformed, a key is unknown, a value of another kind.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such sweep file")
    try:
        given = OmegaConf.to_container(OmegaConf.load(path))
    except (OSError, ValueError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise CryoccdError(f"{path}: not readable ({_first_line(error)}); mend it") from error
    try:
        changed = OmegaConf.to_container(OmegaConf.from_dotlist(list(changes)))
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        told = " ".join(changes)
        raise CryoccdError(f"set = {told!r}: {_first_line(error)}; expected KEY=VALUE") from error
    if not isinstance(given, dict):
        raise CryoccdError(f"{path}: no YAML mapping, expected lines KEY: VALUE; write them")
    return checked(OmegaConf.merge(_nested(dict(given)), changed), path)


def checked(values: Any, place: object) -> DictConfig:
    """The values of a sweep with all defaults.

    Raises:
        CryoccdError: a key is unknown, a value of another kind or out of its range.
    """
    try:
        sweep = OmegaConf.merge(OmegaConf.structured(Sweep), values)
        OmegaConf.resolve(sweep.resources)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or "top level"
        raise CryoccdError(f"{place}: {key}: {_first_line(error)}") from error
    assert isinstance(sweep, DictConfig)
    given: Any = OmegaConf.to_container(sweep)
    if not _NAME.fullmatch(given["name"]):
        raise CryoccdError(
            f"{place}: name = {given['name']!r}, expected letters and digits with single . _ or - "
            "between"
        )
    if not given["command"].strip():
        raise CryoccdError(f"{place}: command is empty, expected a verb such as fit or table fid")
    for key, least in _LEAST.items():
        if (value := given["resources"][key]) < least:
            raise CryoccdError(f"{place}: resources.{key} = {value}, expected {least} or more")
    for key in ("hours", "memory_GB"):
        if not 0 < (value := given["resources"][key]) < math.inf:
            raise CryoccdError(f"{place}: resources.{key} = {value}, expected above 0, finite")
    return sweep


def _nested(given: dict[Any, Any]) -> dict[str, Any]:
    """The file with the dotted flags of its axes as mappings: one of them can be changed."""
    axes = given.get("axes")
    if isinstance(axes, dict):
        given = {**given, "axes": {**axes}}
        if isinstance(axes.get("grid"), dict):
            given["axes"]["grid"] = nested(axes["grid"])
        random = axes.get("random")
        if isinstance(random, dict) and isinstance(random.get("flags"), dict):
            given["axes"]["random"] = {**random, "flags": nested(random["flags"])}
    return given


def _first_line(error: Exception) -> str:
    text = str(error).splitlines()
    return text[0] if text else type(error).__name__
