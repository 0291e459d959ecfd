"""Detectors on paper: one JSON record, one Markdown page, one table in the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import cryoccd
from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.detection_figures import DETECTION
from cryoccd.report.figure import Figure, combine, over_seeds
from cryoccd.report.text import UNDEFINED

_WITH_ENDS = ("f_beta", "gain")  # figures whose intervals are shown; the record has all


@dataclass(frozen=True)
class DetectionCard:
    """What detectors found in the same held-out tomograms.

    Args:
        title: heading.
        rows: by what they were trained on, figures of each seed in order.
        seeds: of the detectors.
        protocol: what must be equal for two cards to be compared.
        inputs: what was compared.
        warnings: what spoils the comparison.
    """

    title: str
    rows: Mapping[str, Sequence[Mapping[str, Metric]]]
    seeds: Sequence[int]
    protocol: Mapping[str, Any]
    inputs: Mapping[str, Any]
    warnings: Sequence[str] = ()

    def record(self) -> dict[str, Any]:
        """The card as plain values."""
        return {
            "rows": {name: over_seeds(entries) for name, entries in self.rows.items()},
            "seeds": list(self.seeds),
            "protocol": dict(self.protocol),
            "inputs": dict(self.inputs),
            "warnings": list(self.warnings),
            "version": cryoccd.__version__,
        }

    def markdown(self) -> str:
        """The page."""
        lines = [f"# {self.title}", ""]
        lines += ["| " + " | ".join(_heads()) + " |", "|---" * len(_heads()) + "|"]
        lines += ["| " + " | ".join(self._cells(name)) + " |" for name in self.rows]
        lines += ["", *self._remarks(), "", "## F of each class", ""]
        for name, entries in self.rows.items():
            lines += [f"- {name}: {entry['f_beta'].note}" for entry in entries]
        lines += ["", "## Protocol", ""]
        lines += [f"- {key}: {value}" for key, value in {**self.inputs, **self.protocol}.items()]
        return "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the rows and the remarks."""
        table = Table(title=self.title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
        for index, head in enumerate(_heads()):
            table.add_column(head, no_wrap=not index, justify="right" if index else "left")
        for name in self.rows:
            table.add_row(*self._cells(name))
        console.print(table)
        for line in self._remarks():
            console.print(line, markup=False)

    def _remarks(self) -> list[str]:
        seeds = ", ".join(map(str, self.seeds))
        lines = [
            f"Trained rows: mean of the seeds {seeds} (least to largest of them)."
            if len(self.seeds) > 1
            else "[a, b] is the 95 % interval over tomograms; a to b, with few of them, the range "
            "of the estimates that leave one out; one tomogram alone has neither."
        ]
        return [*lines, *self.warnings]

    def _figure(self, name: str, figure: str) -> Figure:
        return combine([asdict(entry[figure]) for entry in self.rows[name]])

    def _cells(self, name: str) -> list[str]:
        cells = [name]
        for figure in DETECTION:
            if figure.name not in self.rows[name][0]:
                cells.append(UNDEFINED)
                continue
            sign = "+" if figure.name == "gain" else ""
            cells.append(_text(self._figure(name, figure.name), sign, figure.name in _WITH_ENDS))
        return cells


def _heads() -> list[str]:
    return ["trained on", *(figure.name for figure in DETECTION)]


def _text(figure: Figure, sign: str, with_ends: bool) -> str:
    if figure.value is None:
        return UNDEFINED
    text = f"{figure.value:{sign}.3f}"
    if not with_ends or figure.low is None or figure.high is None:
        return text
    low, high = f"{figure.low:{sign}.3f}", f"{figure.high:{sign}.3f}"
    if figure.interval in ("range", "seeds"):
        return f"{text} ({low} to {high})"
    return f"{text} [{low}, {high}]"
