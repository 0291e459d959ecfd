"""Average precision against the number of real labels, in one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cryoccd.io.atomic import atomic_path

_COLOURS = {"scratch": "0.3", "generated": "tab:blue"}
_LABELS = {"scratch": "from scratch", "generated": "after generated labels"}


def draw_labels(
    path: Path, curves: Mapping[str, Sequence[tuple[float, float, float, float]]], title: str
) -> None:
    """Draw mean and range over seeds.

    Args:
        path: the PNG.
        curves: by the start of the pickers: labels, mean, least and largest, by labels.
        title: of the picture.
    """
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, points in curves.items():
        none = [point for point in points if point[0] == 0]
        some = [point for point in points if point[0] > 0]
        labels, mean, low, high = zip(*some, strict=True)
        axes.plot(labels, mean, "o-", color=_COLOURS[name], label=_LABELS[name])
        axes.fill_between(labels, low, high, color=_COLOURS[name], alpha=0.2, lw=0)
        for _, value, least, most in none:
            axes.axhline(value, color=_COLOURS[name], ls="--", lw=1, label="generated labels alone")
            axes.axhspan(least, most, color=_COLOURS[name], alpha=0.08, lw=0)
    axes.set_xscale("log")
    counts = sorted({point[0] for points in curves.values() for point in points if point[0] > 0})
    axes.set_xticks(counts, [f"{count:,.0f}" for count in counts])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="real labels", ylabel="average precision")
    axes.set_title(fill(title, 60), fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
