"""One picture per style: clean | each method | real, a few crops as rows.

All noisy panels share one grey scale, pinned from the real panels, so that brightness and contrast
can be compared by eye. The clean column has a scale of its own, symmetric about its background.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path

CLEAN = "clean"
REAL = "real"
_PANEL = 192  # pixels of a panel, at least; whole multiples of a crop show its pixels as they are
_GAP, _TOP, _BOTTOM = 8, 64, 30
_DPI = 100
_QUANTILES = (0.005, 0.995)


def write_gallery(
    path: Path, rows: Mapping[str, Sequence[Tensor]], pixel_size_A: float, title: str
) -> None:
    """Write one gallery as PNG.

    Args:
        path: the PNG file, written whole or not at all.
        rows: name of the column to its crops, each (h, w), in the order of the columns; "clean"
            and "real" must be among them, and all must have equally many crops of one shape.
        pixel_size_A: pixel size, for the scale bar.
        title: heading, which should name the style and where the real side comes from.

    Raises:
        CryoccdError: a column is missing, uneven or not finite, or the pixel size not positive.
    """
    height, width = _check(rows, pixel_size_A)
    zoom = max(1, round(_PANEL / max(height, width)))
    panel_h, panel_w = height * zoom, width * zoom
    count = len(rows[REAL])
    total_w = _GAP + len(rows) * (panel_w + _GAP)
    total_h = _TOP + count * (panel_h + _GAP) + _BOTTOM
    figure = Figure(figsize=(total_w / _DPI, total_h / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    centre, reach = _clean_scale(rows[CLEAN])
    low, high = _real_scale(rows[REAL])
    figure.text(_GAP / total_w, 1 - 20 / total_h, title, fontsize=12, va="center", weight="bold")
    for column, (name, crops) in enumerate(rows.items()):
        left = _GAP + column * (panel_w + _GAP)
        x = (left + panel_w / 2) / total_w
        figure.text(x, 1 - 50 / total_h, name, fontsize=10, ha="center", va="center")
        limits = (centre - reach, centre + reach) if name == CLEAN else (low, high)
        for row, crop in enumerate(crops):
            bottom = total_h - _TOP - row * (panel_h + _GAP) - panel_h
            axes = figure.add_axes(
                (left / total_w, bottom / total_h, panel_w / total_w, panel_h / total_h)
            )
            axes.imshow(
                crop.detach().cpu().numpy(),
                cmap="gray",
                vmin=limits[0],
                vmax=limits[1],
                interpolation="nearest",
                aspect="auto",
            )
            axes.set_axis_off()
            if column == 0 and row == count - 1:
                _scale_bar(axes, height, width, pixel_size_A)
    text = (
        f"clean: own scale, background ± {reach:.3g};  all others: one scale, "
        f"{low:.3g} to {high:.3g} (0.5 to 99.5 % of real);  crops are not paired with real"
    )
    figure.text(_GAP / total_w, 15 / total_h, text, fontsize=9, va="center")
    with atomic_path(path) as temporary:
        # no version of matplotlib in the file: equal input gives equal bytes
        figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})


def scale_bar_nm(width_A: float) -> float:
    """A round length (1, 2 or 5 times a power of ten, in nm) of at most 40 % of the width."""
    limit = 0.4 * width_A / 10
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1, 2, 5) if step * power <= limit)


def _scale_bar(axes: Axes, height: int, width: int, pixel_size_A: float) -> None:
    length_nm = scale_bar_nm(width * pixel_size_A)
    pixels = 10 * length_nm / pixel_size_A
    left, bottom = 0.05 * width - 0.5, 0.94 * height - 0.5
    bar = Rectangle((left, bottom), pixels, -0.025 * height, facecolor="white", edgecolor="black")
    axes.add_patch(bar)
    outline = [withStroke(linewidth=2, foreground="black")]
    axes.text(
        left + pixels / 2,
        bottom - 0.045 * height,
        f"{length_nm:g} nm",
        color="white",
        fontsize=10,
        ha="center",
        va="bottom",
        path_effects=outline,
    )


def _clean_scale(crops: Sequence[Tensor]) -> tuple[float, float]:
    values = torch.stack([crop.detach().float().cpu() for crop in crops])
    centre = values.median()
    reach = (values - centre).abs().max().item()
    # crops without a particle are one grey
    return centre.item(), reach if reach > 0 else 1.0


def _real_scale(crops: Sequence[Tensor]) -> tuple[float, float]:
    values = torch.stack([crop.detach().float().cpu() for crop in crops]).flatten().numpy()
    low, high = (float(q) for q in np.quantile(values, _QUANTILES))
    if not high > low:
        raise CryoccdError("gallery: the real crops are constant; choose others")
    return low, high


def _check(rows: Mapping[str, Sequence[Tensor]], pixel_size_A: float) -> tuple[int, int]:
    if not pixel_size_A > 0:
        raise CryoccdError(f"gallery: pixel_size_A is {pixel_size_A}, expected a positive number")
    for name in (CLEAN, REAL):
        if not rows.get(name):
            raise CryoccdError(f"gallery: no crops for {name}; give at least one")
    shape = rows[REAL][0].shape
    for name, crops in rows.items():
        if len(crops) != len(rows[REAL]):
            raise CryoccdError(
                f"gallery: {name} has {len(crops)} crops, expected {len(rows[REAL])} as real has"
            )
        for crop in crops:
            if crop.ndim != 2 or crop.shape != shape:
                raise CryoccdError(
                    f"gallery: {name} has a crop {tuple(crop.shape)}, expected {tuple(shape)}"
                )
            if not bool(torch.isfinite(crop).all()):
                raise CryoccdError(f"gallery: {name} has a crop with values that are not finite")
    return int(shape[0]), int(shape[1])
