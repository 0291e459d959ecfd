"""Generated boxes on paper: one JSON record, one Markdown page, one table in the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import cryoccd
from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure
from cryoccd.report.text import UNDEFINED, number_text


@dataclass(frozen=True)
class VolumeCard:
    """Figures of sets of boxes, side by side.

    Args:
        title: heading.
        figures: rows of the table in order.
        sets: columns, by name; all have every figure.
        remarks: what a reader must know.
        protocol: what must be equal for two cards to be compared.
        inputs: what was compared.
    """

    title: str
    figures: Sequence[Figure]
    sets: Mapping[str, Mapping[str, Metric]]
    remarks: Sequence[str]
    protocol: Mapping[str, Any]
    inputs: Mapping[str, Any]

    def record(self) -> dict[str, Any]:
        """The card as plain values."""
        sets = {
            name: {figure: asdict(metric) for figure, metric in found.items()}
            for name, found in self.sets.items()
        }
        return {
            "sets": sets,
            "remarks": list(self.remarks),
            "protocol": dict(self.protocol),
            "inputs": dict(self.inputs),
            "version": cryoccd.__version__,
        }

    def markdown(self, picture: str) -> str:
        """The page, with the picture of that name."""
        heads = ["figure", "ideal", *self.sets, "what"]
        lines = [f"# {self.title}", "", f"![slices of each class]({picture})", ""]
        lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        for figure in self.figures:
            cells = [self._cell(name, figure.name) for name in self.sets]
            row = [figure.name, f"{figure.ideal:g}", *cells, figure.what]
            lines.append("| " + " | ".join(row) + " |")
        lines += ["", *(f"- {line}" for line in self.remarks), "", "## Notes", ""]
        for figure in self.figures:
            for name, found in self.sets.items():
                if note := found[figure.name].note:
                    lines.append(f"- {figure.name}, {name}: {note}")
        lines += ["", "## Protocol", ""]
        lines += [f"- {key}: {value}" for key, value in {**self.inputs, **self.protocol}.items()]
        return "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the figures and the remarks."""
        table = Table(title=self.title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
        for index, head in enumerate(["figure", "ideal", *self.sets]):
            table.add_column(head, justify="right" if index else "left")
        for figure in self.figures:
            cells = [self._cell(name, figure.name) for name in self.sets]
            table.add_row(figure.name, f"{figure.ideal:g}", *cells)
        console.print(table)
        for line in self.remarks:
            console.print(line, markup=False)

    def _cell(self, name: str, figure: str) -> str:
        """Value [95 % interval], or value (a to b) with the range that leaving one out gives."""
        found = self.sets[name][figure]
        if found.value is None:
            return UNDEFINED
        value = number_text(found.value, abs(found.value))
        if found.ci_low is None or found.ci_high is None:
            return value
        one, two = (number_text(end, abs(found.value)) for end in (found.ci_low, found.ci_high))
        return (
            f"{value} ({one} to {two})" if found.interval == "range" else f"{value} [{one}, {two}]"
        )
