"""Panels of one size in rows and columns, in pixels: what the galleries are drawn with."""

import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from cryoccd.io.atomic import atomic_path

_PANEL = 192  # pixels of a panel, at least; whole multiples of an image show its pixels as they are
_GAP, _TOP, _BOTTOM = 8, 64, 30
_DPI = 100


class Sheet:
    """A title, named columns, panels, words beside the rows and a line below.

    Args:
        rows: how many.
        names: what stands above each column.
        shape_px: height and width of every image.
        title: heading.
        footer: the line below.
        margin_px: room on the left for words beside the rows.
    """

    def __init__(
        self,
        rows: int,
        names: list[str],
        shape_px: tuple[int, int],
        title: str,
        footer: str,
        margin_px: int = 0,
    ) -> None:
        self._shape_px = shape_px
        zoom = max(1, round(_PANEL / max(shape_px)))
        self._panel_h, self._panel_w = shape_px[0] * zoom, shape_px[1] * zoom
        self._first = _GAP + margin_px
        self._width = self._first + len(names) * (self._panel_w + _GAP)
        self._height = _TOP + rows * (self._panel_h + _GAP) + _BOTTOM
        self._figure = Figure(figsize=(self._width / _DPI, self._height / _DPI), dpi=_DPI)
        FigureCanvasAgg(self._figure)
        self._write(_GAP, 20, title, fontsize=12, weight="bold")
        for column, name in enumerate(names):
            middle = self._left(column) + self._panel_w / 2
            self._write(middle, 50, name, fontsize=10, ha="center")
        self._write(_GAP, self._height - 15, footer, fontsize=9)

    def draw(self, row: int, column: int, image: Tensor, limits: tuple[float, float]) -> Axes:
        """Show an (h, w) image between two greys; its axes count in pixels of the image."""
        bottom = self._height - self._top(row) - self._panel_h
        axes = self._figure.add_axes(
            (
                self._left(column) / self._width,
                bottom / self._height,
                self._panel_w / self._width,
                self._panel_h / self._height,
            )
        )
        axes.imshow(
            image.detach().cpu().numpy(),
            cmap="gray",
            vmin=limits[0],
            vmax=limits[1],
            interpolation="nearest",
            aspect="auto",
        )
        axes.set_axis_off()
        return axes

    def label(self, row: int, heading: str, text: str) -> None:
        """Words on the left of a row."""
        top = self._top(row)
        self._write(_GAP, top + 10, heading, fontsize=11, weight="bold")
        self._write(_GAP, top + 26, text, fontsize=8, va="top", linespacing=1.4)

    def scale_bar(self, axes: Axes, pixel_size_A: float) -> None:
        """A bar of a round length in the lower left corner of a panel."""
        height, width = self._shape_px
        length_nm = scale_bar_nm(width * pixel_size_A)
        pixels = 10 * length_nm / pixel_size_A
        left, bottom = 0.05 * width - 0.5, 0.94 * height - 0.5
        corner, rise = (left, bottom), -0.025 * height
        axes.add_patch(Rectangle(corner, pixels, rise, facecolor="white", edgecolor="black"))
        axes.text(
            left + pixels / 2,
            bottom - 0.045 * height,
            f"{length_nm:g} nm",
            color="white",
            fontsize=10,
            ha="center",
            va="bottom",
            path_effects=[withStroke(linewidth=2, foreground="black")],
        )

    def save(self, path: Path) -> None:
        """Write the PNG whole or not at all."""
        with atomic_path(path) as temporary:
            # no version of matplotlib in the file: equal input gives equal bytes
            self._figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})

    def _left(self, column: int) -> int:
        return self._first + column * (self._panel_w + _GAP)

    def _top(self, row: int) -> int:
        return _TOP + row * (self._panel_h + _GAP)

    def _write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text at pixels from the top left corner."""
        at = (x / self._width, 1 - y / self._height)
        self._figure.text(*at, text, **({"va": "center"} | style))


def scale_bar_nm(width_A: float) -> float:
    """A round length (1, 2 or 5 times a power of ten, in nm) of at most 40 % of the width."""
    limit = 0.4 * width_A / 10
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1, 2, 5) if step * power <= limit)
