"""Precision against recall of pickers, in one picture."""

from collections.abc import Collection, Mapping
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cryoccd.io.atomic import atomic_path
from cryoccd.metrics.picking.average_precision import PrecisionRecall

_DASHES = ("--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))


def draw_curves(
    path: Path, curves: Mapping[str, PrecisionRecall], dashed: Collection[str], title: str
) -> None:
    """Draw the curves, best at the end first in the legend.

    Args:
        path: the PNG.
        curves: by the names of the rows.
        dashed: rows that are no methods.
        title: of the picture.
    """
    area = {n: float(np.diff(c.recall, prepend=0.0) @ c.precision) for n, c in curves.items()}
    figure = Figure(figsize=(8.6, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes, colours = figure.subplots(), mpl.colormaps["tab20"]
    dashes = cycle(_DASHES)
    for index, (name, curve) in enumerate(sorted(curves.items(), key=lambda c: -area[c[0]])):
        style = next(dashes) if name in dashed else "-"
        colour = "0.3" if name in dashed else colours(index % 20)
        label = f"{name}  {area[name]:.3f}"
        axes.plot(curve.recall, curve.precision, ls=style, color=colour, label=label, lw=1.3)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.01), title=title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, title="average precision", loc="upper left", bbox_to_anchor=(1, 1))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
