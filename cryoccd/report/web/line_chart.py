"""A chart of lines as SVG: no library in the page, colours from its style, so light and dark.

Lines are thinned out by the rule of Douglas and Peucker (1973) with a tolerance of a third of a
pixel, so that a curve of thousands of points takes a few hundred letters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cryoccd.report.web.document import escaped
from cryoccd.report.web.ticks import decade_ticks, linear_ticks, tick_text

Array = NDArray[np.float64]

_TOLERANCE_PX = 0.35
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 6, 34
COLOURS = 10
"""Colours of the page's style; the lines after them are dashed."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line.

    Args:
        name: of the row.
        x: (n,).
        y: (n,); what is not finite is left out.
        style: class of its stroke, see `stroke`.
    """

    name: str
    x: Array
    y: Array
    style: str


@dataclass(frozen=True)
class Chart:
    """Axes and lines.

    Args:
        title: what is drawn.
        x_label: with its unit.
        y_label: with its unit.
        lines: in the order of the legend; later ones lie on top.
        scale: of the y axis; on a logarithmic one values that are not positive are left out.
        x_range: ends of the x axis; those of the lines by default.
        y_range: ends of the y axis.
        size_px: width and height.
    """

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    scale: Literal["linear", "log"] = "linear"
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    size_px: tuple[int, int] = (430, 270)


def stroke(index: int, kind: Literal["method", "anchor", "real"] = "method") -> str:
    """Class of the stroke of a row: its colour, and dashes where colours repeat."""
    if kind == "real":
        return "real"
    if kind == "anchor":
        return f"anchor d{index % 4}"
    return f"c{index % COLOURS} d{index // COLOURS % 4}"


def line_chart(chart: Chart) -> str:
    """The chart as an SVG element with a title for those who do not see it."""
    width, height = chart.size_px
    points = [_finite(line, chart.scale) for line in chart.lines]
    x_low, x_high = chart.x_range or _ends([x for x, _ in points], margin=0.0)
    if chart.scale == "log":
        y_low, y_high = _ends([np.log10(y) for _, y in points])
        marks = [(math.log10(t), t) for t in decade_ticks(10**y_low, 10**y_high)]
        if len(marks) < 2:  # less than a decade
            marks = [(math.log10(t), t) for t in linear_ticks(10**y_low, 10**y_high)]
        points = [(x, np.log10(y)) for x, y in points]
    else:
        y_low, y_high = chart.y_range or _ends([y for _, y in points])
        marks = [(t, t) for t in linear_ticks(y_low, y_high)]
    right, bottom = width - _RIGHT, height - _BOTTOM
    x_scale = (right - _LEFT) / (x_high - x_low)
    y_scale = (bottom - _TOP) / (y_high - y_low)

    def place(x: Array, y: Array) -> Array:
        return np.stack([_LEFT + (x - x_low) * x_scale, bottom - (y - y_low) * y_scale], axis=1)

    parts = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escaped(chart.title)}">'
    ]
    for at, value in marks:
        y = bottom - (at - y_low) * y_scale
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text class="y" x="{_LEFT - 6}" y="{y + 3.5:.1f}">{tick_text(value)}</text>')
    for value in linear_ticks(x_low, x_high, 5 if width > 300 else 4):
        x = _LEFT + (value - x_low) * x_scale
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text class="x" x="{x:.1f}" y="{bottom + 14}">{tick_text(value)}</text>')
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<text class="x label" x="{(_LEFT + right) / 2}" y="{height - 4}">'
        f"{escaped(chart.x_label)}</text>"
        f'<text class="x label" transform="translate(10 {middle}) rotate(-90)">'
        f"{escaped(chart.y_label)}</text>"
    )
    for line, (across, up) in zip(chart.lines, points, strict=True):
        if len(across):
            path = _path(place(across, np.clip(up, y_low, y_high)))
            name = escaped(line.name)
            parts.append(
                f'<path class="line {line.style}" data-line="{name}" d="{path}">'
                f"<title>{name}</title></path>"
            )
    return "".join([*parts, "</svg>"])


def legend(lines: Sequence[Line], labels: Sequence[str] | None = None) -> str:
    """The names of lines beside their strokes; `labels` say more than the names."""
    items = "".join(
        f'<li data-line="{escaped(line.name)}" tabindex="0"><svg width="22" height="8">'
        f'<path class="line {line.style}" d="M1 4H21"/></svg>{escaped(label)}</li>'
        for line, label in zip(lines, labels or [line.name for line in lines], strict=True)
    )
    return f'<ul class="legend">{items}</ul>'


def simplified(points: Array, tolerance: float = _TOLERANCE_PX) -> Array:
    """The points (n, 2) of a line without those that it hardly turns at."""
    keep = np.zeros(len(points), dtype=np.bool_)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        start, along = points[first], points[last] - points[first]
        between = points[first + 1 : last] - start
        length = float(np.hypot(*along))
        if length > 0:
            away = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
        else:
            away = np.hypot(between[:, 0], between[:, 1])
        furthest = int(away.argmax())
        if away[furthest] > tolerance:
            middle = first + 1 + furthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    kept: Array = points[keep]
    return kept


def _path(points: Array) -> str:
    pairs = [f"{x:.1f} {y:.1f}".replace(".0", "") for x, y in simplified(points)]
    return "M" + "L".join(pairs)


def _finite(line: Line, scale: str) -> tuple[Array, Array]:
    keep = np.isfinite(line.x) & np.isfinite(line.y)
    if scale == "log":
        keep &= line.y > 0
    return line.x[keep], line.y[keep]


def _ends(values: Sequence[Array], margin: float = 0.04) -> tuple[float, float]:
    known = np.concatenate([np.empty(0), *values])
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if not high > low:
        return low - 0.5, high + 0.5
    return low - margin * (high - low), high + margin * (high - low)
