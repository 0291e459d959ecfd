"""The matrix of faults and figures, as a picture and as a page of tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log10, nan
from pathlib import Path

import numpy as np
from faulty import Fault
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Rectangle

from cryoccd.io.atomic import atomic_path, write_text
from cryoccd.metrics.measure import Figure

REACH = 2.8016  # z_0.975 + z_0.8
_BACK = 0.1  # of the largest change: as far a figure may fall back and count as monotone
_DEEPEST = 2.0  # the colour scale ends at 10 to this
_CELL_IN = (0.36, 0.19)
_DPI = 110


@dataclass(frozen=True)
class Response:
    """One figure under one fault.

    Args:
        floor: value without fault.
        values: at each strength; NaN where undefined.
        detectable: change that is found in four of five experiments.
    """

    floor: float
    values: tuple[float, ...]
    detectable: float

    @property
    def changes(self) -> tuple[float, ...]:
        """From the floor, in detectable ones."""
        return tuple((value - self.floor) / self.detectable for value in self.values)

    @property
    def largest(self) -> float:
        """The change furthest from 0; NaN where none is defined."""
        return max((c for c in self.changes if isfinite(c)), key=abs, default=nan)

    @property
    def seen(self) -> bool:
        """Whether any change is detectable."""
        return abs(self.largest) >= 1

    @property
    def seen_from(self) -> int:
        """Number of the first strength that is seen, with all beyond it that are defined."""
        hidden = [i for i, c in enumerate(self.changes) if abs(c) < 1]
        return max(hidden, default=-1) + 1

    @property
    def monotone(self) -> bool:
        """Whether the change grows with the fault, but for what is not detectable or a tenth."""
        sign = 1 if self.largest > 0 else -1
        path = np.array([0.0, *(sign * c for c in self.changes if isfinite(c))])
        back = float((np.maximum.accumulate(path) - path).max())
        return back <= max(1.0, _BACK * abs(self.largest))


Matrix = Mapping[str, Mapping[str, Response]]
"""Responses by fault and figure."""


def draw_matrix(path: Path, matrix: Matrix) -> None:
    """A coloured cell for each figure (row) that sees a fault (column), with its largest change."""
    faults, figures = list(matrix), list(next(iter(matrix.values())))
    shape = len(figures), len(faults)
    width, height = shape[1] * _CELL_IN[0] + 3.1, shape[0] * _CELL_IN[1] + 1.9
    drawing = Drawing(figsize=(width, height), dpi=_DPI)
    FigureCanvasAgg(drawing)
    axes = drawing.add_axes(
        (2.3 / width, 0.3 / height, shape[1] * _CELL_IN[0] / width, shape[0] * _CELL_IN[1] / height)
    )
    colours = np.zeros(shape)
    for row, figure in enumerate(figures):
        for column, fault in enumerate(faults):
            response = matrix[fault][figure]
            if not response.seen:
                continue
            depth = min(log10(abs(response.largest)) / _DEEPEST, 1)
            colours[row, column] = np.sign(response.largest) * (0.12 + 0.88 * depth)
            ink = "white" if abs(colours[row, column]) > 0.65 else "black"
            text = f"{response.largest:+.0f}" if abs(response.largest) < 999.5 else ">999"
            axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=ink)
            if not response.monotone:
                corner = (column - 0.46, row - 0.44)
                axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, linewidth=1.3))
    axes.imshow(colours, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xticks(
        range(shape[1]), faults, rotation=50, ha="left", rotation_mode="anchor", fontsize=8
    )
    axes.set_yticks(range(shape[0]), figures, fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(shape[1] - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(shape[0] - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="0.85", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    title = "Which figure sees which fault"
    drawing.text(0.01, 1 - 0.2 / height, title, fontsize=12, weight="bold", va="center")
    legend = (
        "Largest change from the faultless value, in detectable changes: red grown, blue fallen, "
        "empty below 1; framed: does not grow all the way with the fault"
    )
    drawing.text(0.01, 0.14 / height, legend, fontsize=7, va="center")
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})


def write_page(
    path: Path, matrix: Matrix, faults: Sequence[Fault], figures: Mapping[str, Figure], head: str
) -> None:
    """Markdown beside the picture of the same name.

    Args:
        path: of the page.
        matrix: responses.
        faults: in the order of the columns.
        figures: by name.
        head: the protocol.
    """
    numbers = range(1, len(faults) + 1)
    lines = [
        *("# Which figure sees which fault", "", head, "", f"![matrix]({path.stem}.png)", ""),
        *("## Faults", ""),
        "| | fault | strength | strengths | seen by figures | of these at the least strength |",
        "|---:|---|---|---|---:|---|",
    ]
    for number, fault in zip(numbers, faults, strict=True):
        seen = {name: r for name, r in matrix[fault.name].items() if r.seen}
        first = [name for name, r in seen.items() if r.seen_from == 0]
        strengths = ", ".join(f"{s:g}" for s in fault.strengths)
        lines.append(
            f"| {number} | {fault.name} | {fault.unit} | {strengths} | {len(seen)} | "
            f"{', '.join(first) or '–'} |"
        )
    lines += [
        *("", "## Figures", ""),
        "Largest change from the floor in detectable changes D, and in brackets the strength, 1 to",
        "4, from which on it is seen; ~ where it does not grow all the way; empty: not seen.",
        "",
        "| figure | floor | D | " + " | ".join(str(number) for number in numbers) + " |",
        "|---|" + "---:|" * (len(faults) + 2),
    ]
    for name in figures:
        row = [matrix[fault.name][name] for fault in faults]
        cells = [_cell(response) for response in row]
        base = f"{row[0].floor:.3g} | {row[0].detectable:.2g}"
        lines.append(f"| {name} | {base} | {' | '.join(cells)} |")
    blind = [name for name in figures if not any(matrix[f.name][name].seen for f in faults)]
    unseen = [f.name for f in faults if not any(r.seen for r in matrix[f.name].values())]
    bent = [
        f"{name} under {fault.name}"
        for name in figures
        for fault in faults
        if matrix[fault.name][name].seen and not matrix[fault.name][name].monotone
    ]
    lines += [
        "",
        f"- Figures that see no fault: {', '.join(blind) or 'none'}.",
        f"- Faults that no figure sees: {', '.join(unseen) or 'none'}.",
        f"- Seen but not growing all the way: {'; '.join(bent) or 'none'}.",
    ]
    write_text(path, "\n".join(lines) + "\n")


def _cell(response: Response) -> str:
    if not response.seen:
        return ""
    strength = min(response.seen_from + 1, len(response.values))
    return f"{response.largest:+.1f} ({strength}){'' if response.monotone else ' ~'}"
