"""Control, as the papers show it: one factor changed a row, and what a method makes of it.

Columns: clean base and variant, both translated with one seed, and the difference of these two.
Each kind of panel has one grey scale for all rows: clean ones symmetric about the background, noisy
ones from 0.5 to 99.5 % of the base, differences symmetric about zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import torch
from torch import Tensor

from cryoccd.metrics.signal.locality import SHARE, Locality
from cryoccd.report.gallery import clean_scale, noisy_scale
from cryoccd.report.panels import Sheet
from cryoccd.report.text import UNDEFINED

_COLUMNS = ["clean", "clean, changed", "translated", "translated, changed", "difference"]
_HEAD = ["method", "data set", "seed", "factor", "change", "rms inside", "rms outside", "leak"]
_HEAD += ["clean leak", "response", "noise correlation"]
_WORDS_PX = 150


@dataclass(frozen=True)
class ControlRow:
    """One factor through one method.

    Args:
        factor: what was changed.
        change: from what to what.
        clean: (h, w) noise-free base and variant.
        made: (h, w) what the method makes of them with one seed.
        locality: the comparison in figures.
    """

    factor: str
    change: str
    clean: tuple[Tensor, Tensor]
    made: tuple[Tensor, Tensor]
    locality: Locality


@dataclass(frozen=True)
class ControlFigures:
    """The figures of one factor through one fit.

    Args:
        method: its name.
        dataset: data set that it was fitted to.
        seed: of fit and noise.
        factor: what was changed.
        change: from what to what.
        locality: the comparison.
        model: hash of the fit.
    """

    method: str
    dataset: str
    seed: int
    factor: str
    change: str
    locality: Locality
    model: str


def draw_control(path: Path, rows: Sequence[ControlRow], pixel_size_A: float, title: str) -> None:
    """Write one picture as PNG, whole or not at all.

    Args:
        path: the PNG file.
        rows: the factors, of one base.
        pixel_size_A: pixel size, for the scale bar.
        title: heading.
    """
    centre, reach = clean_scale([image for row in rows for image in row.clean])
    low, high = noisy_scale([rows[0].made[0]])
    differences = [row.made[1] - row.made[0] for row in rows]
    most = _reach(differences)
    clean, noisy = (centre - reach, centre + reach), (low, high)
    limits = (clean, clean, noisy, noisy, (-most, most))
    footer = (
        f"clean: {centre:.3g} ± {reach:.3g};  translated: {low:.3g} to {high:.3g};  "
        f"difference: ± {most:.3g};  one seed throughout"
    )
    height, width = rows[0].made[0].shape
    sheet = Sheet(len(rows), _COLUMNS, (height, width), title, footer, margin_px=_WORDS_PX)
    for index, (row, difference) in enumerate(zip(rows, differences, strict=True)):
        sheet.label(index, row.factor, _words(row))
        panels = (*row.clean, *row.made, difference)
        for column, (image, greys) in enumerate(zip(panels, limits, strict=True)):
            axes = sheet.draw(index, column, image, greys)
            if column == 0:
                sheet.scale_bar(axes, pixel_size_A)
    sheet.save(path)


def control_page(figures: Sequence[ControlFigures]) -> str:
    """The figures as a Markdown page."""
    lines = [_line(_HEAD), _line(["---"] * 5 + ["---:"] * 6)]
    for each in figures:
        found = each.locality
        cells = [each.method, each.dataset, str(each.seed), each.factor, each.change]
        cells += [f"{found.rms_inside:.3g}", f"{found.rms_outside:.2g}", _percent(found.leak)]
        cells += [
            _percent(found.clean_leak),
            _number(found.response, 2),
            _number(found.noise_correlation, 5),
        ]
        lines.append(_line(cells))
    return "\n".join(
        [
            "# Control",
            "",
            "Each row: two images of one seed, whose clean images differ in one factor. Inside is "
            f"where the clean images differ by more than {SHARE:.0%} of their greatest difference, "
            "outside what lies a quarter of a particle further. rms: of the difference of the two "
            "translated images (whose noise has a standard deviation of about 1); leak: outside "
            "over inside; clean leak: the same of the clean images, whose fringes go on outside; "
            "response: correlation with the clean difference, inside; noise correlation: of the "
            "two translated images, outside and between particles. "
            f"{UNDEFINED}: the method does not take this factor.",
            "",
            *lines,
            "",
        ]
    )


def _words(row: ControlRow) -> str:
    found = row.locality
    return "\n".join(
        [
            fill(row.change, 24),
            "",
            f"rms inside {found.rms_inside:.3g}",
            f"rms outside {found.rms_outside:.2g}",
            f"leak {_percent(found.leak)}, clean {_percent(found.clean_leak)}",
            f"response {_number(found.response, 2)}",
            f"noise kept {_number(found.noise_correlation, 5)}",
        ]
    )


def _reach(differences: Sequence[Tensor]) -> float:
    """The 99.8 % quantile of all differences: a few pixels may be black or white."""
    sizes = torch.stack(list(differences)).abs().flatten().sort().values
    return float(sizes[int(0.998 * (len(sizes) - 1))]) or 1.0


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _percent(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.2%}"


def _number(value: float | None, digits: int) -> str:
    return UNDEFINED if value is None else f"{value:.{digits}f}"
