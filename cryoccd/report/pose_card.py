"""Estimated poses on paper: one JSON record, one Markdown page, one table in the terminal."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import cryoccd
from cryoccd.metrics.pose.report import PoseErrors, Score
from cryoccd.metrics.pose.resolution import Resolution
from cryoccd.report.text import UNDEFINED

SHOWN = ("geodesic_median_deg", "view_median_deg", "in_plane_median_deg", "shift_median_A")
"""Columns of the terminal; the record has all."""


@dataclass(frozen=True)
class PoseRow:
    """One estimator.

    Args:
        errors: of its poses; None for rows that only have a map, such as true poses.
        resolution: of the map that its poses make; None without a structure.
        frame: "unaligned" for those that know the frame of the map, "aligned" for others.
    """

    errors: PoseErrors | None
    resolution: Resolution | None
    frame: str = "unaligned"


@dataclass(frozen=True)
class PoseCard:
    """What is known of estimated poses on images of known ones.

    Args:
        title: heading.
        rows: by name.
        protocol: what must be equal for two cards to be compared.
        inputs: what was compared.
    """

    title: str
    rows: Mapping[str, PoseRow]
    protocol: Mapping[str, Any]
    inputs: Mapping[str, Any]

    def record(self) -> dict[str, Any]:
        """The card as plain values."""
        return {
            "rows": {name: _plain(row) for name, row in self.rows.items()},
            "protocol": dict(self.protocol),
            "inputs": dict(self.inputs),
            "version": cryoccd.__version__,
        }

    def markdown(self) -> str:
        """The page."""
        lines = [f"# {self.title}", ""]
        lines += ["| " + " | ".join(self._heads()) + " |", "|---" * len(self._heads()) + "|"]
        lines += ["| " + " | ".join(self._cells(name)) + " |" for name in self.rows]
        lines += ["", *self._remarks(), ""]
        for name, row in self.rows.items():
            if row.errors:
                lines += [f"## {name}", "", "```", *row.errors.lines(), "```", ""]
        lines += ["## Protocol", ""]
        lines += [f"- {key}: {value}" for key, value in {**self.inputs, **self.protocol}.items()]
        return "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the rows and the remarks."""
        table = Table(title=self.title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
        for index, head in enumerate(self._heads()):
            table.add_column(head, justify="right" if index else "left")
        for name in self.rows:
            table.add_row(*self._cells(name))
        console.print(table)
        for line in self._remarks():
            console.print(line, markup=False)

    def _remarks(self) -> list[str]:
        lines = [
            "Degrees and angstrom, medians (chance: the same with poses shuffled among the "
            "particles). FSC 0.5 is of the map against the structure; FSC 0.143 of half-maps "
            "hardly notices wrong poses, see random_poses."
        ]
        for name, row in self.rows.items():
            if row.errors and row.errors.mirrored_fits:
                lines.append(f"{name}: the mirrored hand fits; it is reported and not counted.")
        return lines

    @staticmethod
    def _heads() -> list[str]:
        names = [name.replace("_median", "").replace("_", " ") for name in SHOWN]
        return ["poses of", "frame", *names, "FSC 0.5", "FSC 0.143"]

    def _cells(self, name: str) -> list[str]:
        row = self.rows[name]
        cells = [name, row.frame if row.errors else UNDEFINED]
        for figure in SHOWN:
            scores: Mapping[str, Score] = getattr(row.errors, row.frame) if row.errors else {}
            score = scores.get(figure)
            cells.append(f"{score.value:.1f} ({score.chance:.0f})" if score else UNDEFINED)
        found = row.resolution
        cells.append(UNDEFINED if found is None else f"{found.truth_A:.1f}")
        half = None if found is None else found.half_map_A
        return [*cells, UNDEFINED if half is None else f"{half:.1f}"]


def _plain(row: PoseRow) -> dict[str, Any]:
    record: dict[str, Any] = {"frame": row.frame}
    if row.errors:
        record |= {
            "particles": row.errors.n_particles,
            "intervals_over": row.errors.resampled,
            "hand": row.errors.alignment.hand,
            "mirrored_fits": row.errors.mirrored_fits,
            "unaligned": {name: asdict(score) for name, score in row.errors.unaligned.items()},
            "aligned": {name: asdict(score) for name, score in row.errors.aligned.items()},
        }
    if row.resolution:
        record |= {"truth_A": row.resolution.truth_A, "half_map_A": row.resolution.half_map_A}
    return record
