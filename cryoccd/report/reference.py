"""Published figures with their citation and protocol, read from YAML.

They were measured by others on other data with another protocol, so they are shown in columns of
their own and take no part in any comparison.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Published:
    """One published table.

    Args:
        table: the table of ours that it is shown beside.
        name: short name of the column.
        citation: where it was published.
        metric: name of the metric there.
        datasets: its data sets.
        protocol: what is known of how it was measured.
        rows: method to one figure per data set; none where there is something to say, but no
            figure to be found.
    """

    table: str
    name: str
    citation: str
    metric: str
    datasets: tuple[str, ...]
    protocol: str
    rows: Mapping[str, tuple[float, ...]]

    def mean(self, method: str) -> float | None:
        """Mean over the data sets; None for a method without a published figure."""
        return fmean(self.rows[method]) if method in self.rows else None


def read_reference(path: Path, table: str | None = None) -> tuple[Published, ...]:
    """Read published tables.

    Args:
        path: the file.
        table: the one of ours that they belong to; None for all.

    Raises:
        CryoccdError: the file is absent, no YAML, or an entry lacks a field or a figure.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf8"))
    except (OSError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not readable as YAML ({reason})") from error
    if not isinstance(entries, list):
        raise CryoccdError(f"{path}: expected a list of published tables")
    found = (_published(path, number, entry) for number, entry in enumerate(entries))
    return tuple(each for each in found if table in (None, each.table))


def _published(path: Path, number: int, entry: Any) -> Published:
    fields = set(Published.__dataclass_fields__)
    if not isinstance(entry, dict) or set(entry) != fields:
        raise CryoccdError(f"{path}: entry {number} must have exactly the keys {sorted(fields)}")
    count = len(entry["datasets"])
    for method, values in entry["rows"].items():
        if len(values) != count:
            raise CryoccdError(
                f"{path}: {method} of entry {number} has {len(values)} figures for {count} sets"
            )
    rows = {method: tuple(map(float, values)) for method, values in entry["rows"].items()}
    return Published(**(entry | {"datasets": tuple(entry["datasets"]), "rows": rows}))
