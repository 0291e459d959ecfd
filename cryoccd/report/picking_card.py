"""Pickers on paper: one JSON record, one Markdown page, one table in the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import cryoccd
from cryoccd.metrics.card import Metric
from cryoccd.metrics.picking.task import FIGURES
from cryoccd.report.figure import Figure, combine, over_seeds
from cryoccd.report.text import UNDEFINED

_WIDE = (4, 6)  # columns that a terminal has no room for: intervals of the other figures


@dataclass(frozen=True)
class Versus:
    """A row less another on the same micrographs with the same seed.

    Args:
        other: the other row.
        value: difference of the average precision.
        low: lower end of its interval over micrographs; None without one.
        high: upper end.
        kind: of interval, as of `Interval`.
        p: of the exchange of both within micrographs.
    """

    other: str
    value: float
    low: float | None
    high: float | None
    kind: str
    p: float


@dataclass(frozen=True)
class PickingCard:
    """What pickers found on one real set.

    Args:
        title: heading.
        rows: by name, figures of each seed in order.
        seeds: of the pickers that are trained; a row with one entry has none.
        versus: the judged row less others.
        protocol: what must be equal for two cards to be compared.
        inputs: what was compared.
    """

    title: str
    rows: Mapping[str, Sequence[Mapping[str, Metric]]]
    seeds: Sequence[int]
    versus: Sequence[Versus]
    protocol: Mapping[str, Any]
    inputs: Mapping[str, Any]

    def record(self) -> dict[str, Any]:
        """The card as plain values."""
        return {
            "rows": {name: over_seeds(entries) for name, entries in self.rows.items()},
            "seeds": list(self.seeds),
            "versus": [asdict(each) for each in self.versus],
            "protocol": dict(self.protocol),
            "inputs": dict(self.inputs),
            "version": cryoccd.__version__,
        }

    def markdown(self, figure: str) -> str:
        """The page, with the picture of that name."""
        lines = [f"# {self.title}", "", f"![precision and recall]({figure})", ""]
        lines += ["| " + " | ".join(self._heads()) + " |", "|---" * len(self._heads()) + "|"]
        lines += ["| " + " | ".join(self._row(name)) + " |" for name in self.rows]
        lines += ["", *self.remarks(), "", "## Protocol", ""]
        lines += [f"- {key}: {value}" for key, value in {**self.inputs, **self.protocol}.items()]
        return "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the rows and what may be concluded."""
        table = Table(title=self.title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
        for index, head in enumerate(self._heads()):
            if index not in _WIDE:
                table.add_column(head, no_wrap=True, justify="right" if index else "left")
        for name in self.rows:
            table.add_row(*(t for i, t in enumerate(self._row(name)) if i not in _WIDE))
        console.print(table)
        for line in self.remarks():
            console.print(line, markup=False)

    def remarks(self) -> list[str]:
        """What the brackets are, and the differences."""
        seeds = ", ".join(map(str, self.seeds))
        lines = [
            f"Trained rows: mean of the seeds {seeds}, [least, largest of them]; others: value "
            "[95 % interval over micrographs], or the range with micrographs left out."
            if len(self.seeds) > 1
            else "[a, b] is the 95 % interval over micrographs; a to b, with few of them, the "
            "range of the estimates that leave one out."
        ]
        for each in self.versus:
            ends = "" if each.low is None else f" {_ends(each.low, each.high, each.kind, '+')}"
            lines.append(f"Less {each.other}: {each.value:+.3f}{ends} in auprc, p = {each.p:.2g}.")
        return lines

    def _figure(self, name: str, figure: str) -> Figure:
        return combine([asdict(entry[figure]) for entry in self.rows[name]])

    @staticmethod
    def _heads() -> list[str]:
        return ["labels of", *(part for figure in FIGURES for part in (figure.name, ""))]

    def _row(self, name: str) -> list[str]:
        found = [name]
        for each in FIGURES:
            if each.name not in self.rows[name][0]:
                found += [UNDEFINED, ""]
                continue
            figure = self._figure(name, each.name)
            found.append(UNDEFINED if figure.value is None else f"{figure.value:.3f}")
            if figure.low is None or figure.high is None:
                found.append("")
            else:
                found.append(_ends(figure.low, figure.high, figure.interval))
        return found


def _ends(low: float | None, high: float | None, kind: str, sign: str = "") -> str:
    """[a, b] of 95 %, or a to b, the range of the estimates that leave one out."""
    one, two = f"{low:{sign}.3f}", f"{high:{sign}.3f}"
    return f"{one} to {two}" if kind == "range" else f"[{one}, {two}]"
