"""From a sweep file to jobs.

Values of a file may refer to `${name}`, `${results}`, `${runs}`, `${resources.cpus}` and
`${oc.env:VARIABLE}`, and to what one job has: `${values.FLAG}`, `${job.name}`, `${job.folder}`.
They are resolved for each job. Values become `--FLAG=VALUE` behind the command. A fit and an
evaluation write into the job's folder and a table into the sweep's results, unless the command says
otherwise.
"""

import hashlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.commit import source_commit
from cryoccd.launch.sweep.axes import points
from cryoccd.launch.sweep.config import Resources
from cryoccd.launch.sweep.dotted import nested
from cryoccd.launch.sweep.job import Job
from cryoccd.launch.sweep.naming import names_of, text_of

PROGRAM = [sys.executable, "-m", "cryoccd"]
"""What runs a verb."""

_SETS = ("simulate", "translate")
VERBS = ("fit", "table", *_SETS, "evaluate")


@dataclass(frozen=True)
class Expanded:
    """A sweep's jobs and what comes after them.

    Args:
        name: of the sweep.
        folder: of the sweep, the jobs' folders are in it.
        jobs: in the order of the axes.
        reduce: the command after them.
    """

    name: str
    folder: Path
    jobs: list[Job]
    reduce: Job | None


def expand(sweep: DictConfig, results: Path, runs: Path) -> Expanded:
    """All jobs of a sweep.

    Args:
        sweep: of `read_sweep`.
        results: where tables write.
        runs: where jobs and tables keep what they make.

    Raises:
        CryoccdError: an unknown verb, an axis that is none, an interpolation that leads nowhere.
    """
    written: Any = OmegaConf.to_container(sweep)
    name = str(written["name"])
    folder = runs / "sweep" / name
    resources = Resources(**written["resources"])
    known = {"name": name, "results": str(results), "runs": str(runs)}
    known |= {"resources": written["resources"]}
    chosen = [_resolved({"values": nested(p), **known}, p) for p in points(written["axes"])]
    commit = source_commit(Path(cryoccd.__file__).resolve().parents[1])
    jobs = []
    for job, point in zip(names_of(chosen), chosen, strict=True):
        place = folder / job
        own = {"values": nested(point), "job": {"name": job, "folder": str(place)}, **known}
        words = _words(written["command"], own)
        words += map(_flag, point.items())
        words += _defaults(words, place, results, runs)
        makes = _resolved(own, written["makes"])
        argv = [*PROGRAM, *words]
        jobs.append(Job(job, place, argv, point, resources, makes, _inputs(words), commit))
    reduce = None
    if (written["reduce"] or "").strip():
        place = folder / "reduce"
        words = _words(written["reduce"], known)
        words += _defaults(words, place, results, runs)
        after = [str(job.folder) for job in jobs]
        argv, inputs = [*PROGRAM, *words], _inputs(words)
        reduce = Job("reduce", place, argv, {}, resources, [], inputs, commit, after)
    return Expanded(name, folder, jobs, reduce)


def _words(command: str, known: Mapping[str, Any]) -> list[str]:
    """The words of a command; what stands in quotes or is resolved to blanks is one word."""
    try:
        split = shlex.split(command)
    except ValueError as error:
        raise CryoccdError(f"command: {error} in {command!r}; mend it") from error
    return list(_resolved(known, split))


def _resolved(known: Mapping[str, Any], values: Any) -> Any:
    """Values with what they refer to among what is known."""
    if "${" not in repr(values):
        return values  # hundreds of jobs of which few refer to anything
    try:
        whole = OmegaConf.create({**known, "_": values})
        return OmegaConf.to_container(whole._, resolve=True)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise CryoccdError(f"{known['name']}: {values}: {reason}") from error


def _flag(entry: tuple[str, Any]) -> str:
    return f"--{entry[0]}={text_of(entry[1])}"


def _defaults(words: Sequence[str], folder: Path, results: Path, runs: Path) -> list[str]:
    """Where a verb writes, where its words do not say it; a set goes on where it stopped.

    Raises:
        CryoccdError: a verb that no sweep knows.
    """
    if words[0] not in VERBS:
        raise CryoccdError(f"command: {words[0]!r}, expected one of {', '.join(VERBS)}")
    if words[0] in _SETS:
        return [] if "--resume" in words else ["--resume"]
    given = _options(words)
    places: dict[str, Path | int] = {"results": results, "runs": runs, "jobs": 1}
    if words[0] == "fit":
        places = {"trainer.default_root_dir": folder}
        if given.get("trainer.logger") != "false":
            places["trainer.logger.init_args.save_dir"] = folder
    elif words[0] == "evaluate":  # shares make one card together: its place is theirs to name
        places = {} if "share" in given else {"output": folder / "card.json"}
    return [f"--{name}={value}" for name, value in places.items() if name not in given]


def _options(words: Sequence[str]) -> dict[str, str]:
    """Options of a command line to their values, the last one of each."""
    found = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            found[name[2:]] = value if equals else following
    return found


def _inputs(words: Sequence[str]) -> dict[str, str]:
    """SHA-256 of the files that a command line names, and of a table's matrix."""
    named = [Path(part) for word in words for part in (word, word.partition("=")[2]) if part]
    if words[0] == "table" and len(words) > 1:
        profile = _options(words).get("profile", "demo")
        named.append(Path("experiments") / f"{words[1]}-{profile}.yaml")
    found = {}
    for path in named:
        if path.suffix in (".yaml", ".yml") and path.is_file():
            found[str(path)] = _sha256(path, path.stat().st_mtime_ns)
    return found


@cache
def _sha256(path: Path, changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
