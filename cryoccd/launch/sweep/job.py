"""One job: its command, its folder, and the hash that says whether it is still the same."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

import cryoccd
from cryoccd.io.atomic import write_text
from cryoccd.launch.sweep.config import Resources

FILE = "job.yaml"


@dataclass(frozen=True)
class Job:
    """A command with a folder of its own.

    Args:
        name: of the folder.
        folder: where its log and its state are, and what a fit writes.
        argv: the whole command line.
        values: what it has of the axes.
        resources: what it takes.
        makes: files that it leaves.
        inputs: SHA-256 of files that its command line names.
        commit: of the source that it was expanded by; it does not count in the hash.
        after: folders of the jobs whose outcome it reduces.
    """

    name: str
    folder: Path
    argv: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    makes: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    commit: str = "unknown"
    after: list[str] = field(default_factory=list)

    @property
    def hash(self) -> str:
        """SHA-256 of what decides the outcome: command, inputs and package version."""
        decisive = [self.argv[1:], self.inputs, cryoccd.__version__]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def write(self) -> None:
        """Write `job.yaml`, whole or not at all."""
        record = asdict(self) | {"hash": self.hash, "version": cryoccd.__version__}
        record |= {"folder": str(self.folder)}
        write_text(self.folder / FILE, yaml.safe_dump(record, sort_keys=False))


@dataclass(frozen=True)
class Recorded:
    """A job as its folder has it.

    Args:
        hash: of the job.
        job: its fields.
    """

    hash: str
    job: Job


def read_job(folder: Path) -> Recorded | None:
    """The job that a folder was made for; None where it holds no whole `job.yaml`.

    A file that cannot be read now is not taken for none: the folder would be emptied.
    """
    try:
        record = yaml.safe_load((folder / FILE).read_text(encoding="utf8"))
        fields = {key: record[key] for key in Job.__dataclass_fields__}
        fields |= {"folder": folder, "resources": Resources(**record["resources"])}
        return Recorded(str(record["hash"]), Job(**fields))
    except (FileNotFoundError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return None
