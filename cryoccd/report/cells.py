"""Result cells: one JSON file per (table, method, dataset, seed), whole or not at all.

A cell holds every metric of one method on one data set with its interval, the protocol that the
figures depend on, and where they come from. Tables are reduced from cells and from nothing else.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text

_NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_METRIC = ("value", "ci_low", "ci_high", "n", "interval", "note")
_PROVENANCE = ("commit", "config_hash", "data_hash", "versions", "device", "seconds")


@dataclass(frozen=True)
class ResultCell:
    """All figures of one method on one data set with one seed.

    Args:
        table: name of the table, such as "fid".
        method: name of the row, also of an anchor.
        dataset: name of the column group, such as a style.
        seed: seed of the run.
        metrics: name to {value, ci_low, ci_high, n, interval, note}. `value` is None where the
            metric is undefined, and `note` says why; `ci_low` and `ci_high` bound the 95 %
            interval (or are None); `n` counts micrographs; `interval` names the kind of interval,
            "range" where it is no confidence interval.
        protocol: what the figures depend on: crop, tone map, extractor, split and so on, equal
            for all methods. "domain" names the real side: "oracle" or the name of a real data
            set; "choices", where it is there, is what the method itself chose; "training" and
            "train_styles" say what its model was fitted on, and "variant" what its row changes of
            a method.
        provenance: commit, config_hash, data_hash, versions, device, seconds; "made", where it is
            there, is when, in UTC.

    Raises:
        CryoccdError: a field is missing, unknown or of the wrong kind.
    """

    table: str
    method: str
    dataset: str
    seed: int
    metrics: dict[str, dict[str, Any]]
    protocol: dict[str, Any]
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        for field in ("table", "method", "dataset"):
            check_name(field, getattr(self, field))
        if not isinstance(self.seed, int) or isinstance(self.seed, bool):
            raise CryoccdError(f"cell: seed is {self.seed!r}, expected an integer")
        for field in ("metrics", "protocol", "provenance"):
            if not isinstance(getattr(self, field), dict):
                raise CryoccdError(f"cell: {field} is no mapping; remove the cell and run again")
        for name, entry in self.metrics.items():
            _check_metric(name, entry)
        _check_protocol(self.dataset, self.protocol)
        _check_provenance(self.provenance)

    def path(self, results_root: Path, profile: str) -> Path:
        """The cell's place: results/PROFILE/TABLE/METHOD__DATASET__SEED.json."""
        return cell_path(results_root, profile, self.table, self.method, self.dataset, self.seed)

    def write(self, results_root: Path, profile: str) -> Path:
        """Write the cell whole or not at all; returns its path."""
        path = self.path(results_root, profile)
        write_text(path, json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")
        return path

    @classmethod
    def read(cls, path: Path) -> "ResultCell":
        """Read and check one cell.

        Raises:
            CryoccdError: the file is absent, no JSON, malformed, or another cell's.
        """
        try:
            data = json.loads(path.read_text(encoding="utf8"))
        except (OSError, ValueError) as error:
            raise CryoccdError(f"{path}: not readable ({error}); remove it, run again") from error
        fields = set(cls.__dataclass_fields__)
        if not isinstance(data, dict) or set(data) != fields:
            found = sorted(data) if isinstance(data, dict) else type(data).__name__
            raise CryoccdError(
                f"{path}: has {found}, expected {sorted(fields)}; remove it, run again"
            )
        try:
            cell = cls(**data)
        except CryoccdError as error:
            raise CryoccdError(f"{path}: {error}") from error
        expected = cell_path(Path(), "p", cell.table, cell.method, cell.dataset, cell.seed).name
        if path.name != expected:
            raise CryoccdError(f"{path}: holds the cell {expected}; rename it or remove it")
        return cell


def cell_path(
    results_root: Path, profile: str, table: str, method: str, dataset: str, seed: int
) -> Path:
    """Where the cell of these names is kept; it need not exist."""
    names = {"profile": profile, "table": table, "method": method, "dataset": dataset}
    for field, name in names.items():
        check_name(field, name)
    return results_root / profile / table / f"{method}__{dataset}__{seed}.json"


def reusable(cell: ResultCell, config_hash: str, data_hash: str, version: str) -> bool:
    """Whether a finished cell still stands: same config, same data, same package version."""
    known = cell.provenance
    found = (known["config_hash"], known["data_hash"], known["versions"]["cryoccd"])
    return bool(found == (config_hash, data_hash, version))


def check_name(field: str, name: object) -> None:
    """Names become file names joined by "__": letters and digits, single . _ or - between."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CryoccdError(
            f"cell: {field} is {name!r}, expected letters and digits with single . _ or - between"
        )


def _check_metric(name: str, entry: Mapping[str, Any]) -> None:
    if not isinstance(entry, dict) or set(entry) != set(_METRIC):
        raise CryoccdError(f"cell: metric {name} is {entry!r}, expected exactly {list(_METRIC)}")
    for field in ("value", "ci_low", "ci_high"):
        if not (entry[field] is None or _is_number(entry[field])):
            raise CryoccdError(
                f"cell: metric {name} has {field} {entry[field]!r}, expected a finite number, "
                "or null with a note"
            )
    if (entry["ci_low"] is None) != (entry["ci_high"] is None):
        raise CryoccdError(f"cell: metric {name} has half an interval, expected both ends or none")
    if entry["ci_low"] is not None and entry["ci_low"] > entry["ci_high"]:
        raise CryoccdError(f"cell: metric {name} has ci_low above ci_high; exchange them")
    if not (type(entry["n"]) is int and entry["n"] >= 0):
        raise CryoccdError(f"cell: metric {name} has n {entry['n']!r}, expected a count")
    if not (isinstance(entry["interval"], str) and isinstance(entry["note"], str)):
        raise CryoccdError(f"cell: metric {name} has an interval or note that is no text")
    if entry["value"] is None and not entry["note"]:
        raise CryoccdError(f"cell: metric {name} is undefined without a note; say why")


def _check_protocol(dataset: str, protocol: Mapping[str, Any]) -> None:
    domain = protocol.get("domain")
    if not isinstance(domain, str) or not domain:
        raise CryoccdError('cell: protocol lacks "domain": "oracle" or the name of the real set')
    if domain == "oracle" and "empiar" in dataset.lower():
        raise CryoccdError(f"cell: dataset {dataset} claims EMPIAR, but its domain is the oracle")
    styles = protocol.get("train_styles")
    named = isinstance(styles, list) and all(isinstance(name, str) for name in styles)
    if "training" in protocol and not (named and styles):
        raise CryoccdError(f"cell: train_styles is {styles!r}, expected names; run the cell again")


def _check_provenance(provenance: Mapping[str, Any]) -> None:
    if missing := [key for key in _PROVENANCE if key not in provenance]:
        raise CryoccdError(f"cell: provenance lacks {missing}; remove the cell and run again")
    versions = provenance["versions"]
    if not (isinstance(versions, dict) and "cryoccd" in versions):
        raise CryoccdError(f"cell: versions is {versions!r}, expected the version of cryoccd in it")
    if not (_is_number(provenance["seconds"]) and provenance["seconds"] >= 0):
        raise CryoccdError(f"cell: seconds is {provenance['seconds']!r}, expected a duration")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
