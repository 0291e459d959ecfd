"""The picture of a noise report card: crops, power spectra and pixel values of both sides."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from cryoccd.fourier import radial_average
from cryoccd.io.atomic import atomic_path
from cryoccd.metrics.images import VALUE_LIMIT
from cryoccd.metrics.measure import Field
from cryoccd.metrics.noise.histogram import value_fractions
from cryoccd.metrics.spectral.areas import Area, area_lacks, area_mask
from cryoccd.metrics.spectral.tile_power import tile_sums

_MICROGRAPHS = 8  # of each side: enough for a smooth curve
_CROP_PX = 192
_COLOURS = {"real": "black", "generated": "tab:red"}
_BIN = 50  # bins of the histogram in one of the figure


def write_noise_figure(
    path: Path, real: Iterable[Field], generated: Iterable[Field], tile_px: int
) -> None:
    """Draw the first micrographs of both sides.

    Args:
        path: PNG file.
        real: one side.
        generated: the other, of the same pixel size.
        tile_px: side of the tiles of the spectra, at most that of the smallest micrograph.
    """
    sides = {
        name: list(islice(fields, _MICROGRAPHS))
        for name, fields in (("real", real), ("generated", generated))
    }
    figure = Figure(figsize=(12, 8), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    powers = {name: _power(fields, "whole", tile_px) for name, fields in sides.items()}
    limits = _limits(powers["real"])
    for row, (name, fields) in enumerate(sides.items()):
        _show(axes[row, 0], fields[0].image[:_CROP_PX, :_CROP_PX], (-4, 4), f"{name}, a crop")
        logarithm = torch.fft.fftshift(powers[name]).log10()
        _show(axes[row, 1], logarithm, limits, f"{name}, log power to Nyquist")
    lacking = any(area_lacks(f, "background") for fields in sides.values() for f in fields)
    area: Area = "whole" if lacking else "background"
    _spectra(axes[0, 2], sides, area, tile_px)
    _values(axes[1, 2], sides)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _power(fields: list[Field], area: Area, tile_px: int) -> Tensor:
    """(tile_px, tile_px) mean power of the area, unshifted."""
    total, weight = torch.zeros(tile_px, tile_px, dtype=torch.float64), 0.0
    for field in fields:
        power, part = tile_sums(field.image, area_mask(field, area), tile_px)
        total, weight = total + power, weight + part
    return total / weight if weight > 0 else total


def _limits(power: Tensor) -> tuple[float, float]:
    low, high = torch.quantile(power.log10().flatten(), torch.tensor([0.01, 0.999]).double())
    return float(low), float(high)


def _show(axes: Axes, image: Tensor, limits: tuple[float, float], title: str) -> None:
    axes.imshow(image.numpy(), cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])


def _spectra(axes: Axes, sides: dict[str, list[Field]], area: Area, tile_px: int) -> None:
    for name, fields in sides.items():
        rings = radial_average(_power(fields, area, tile_px))[1 : tile_px // 2 + 1]
        cycles = torch.arange(1, len(rings) + 1) / (tile_px * fields[0].pixel_size_A)
        axes.semilogy(cycles.numpy(), rings.numpy(), color=_COLOURS[name], label=name)
    axes.set_title(f"radial power, {area}", fontsize=10)
    axes.set_xlabel("1/Å")
    axes.legend(fontsize=9)


def _values(axes: Axes, sides: dict[str, list[Field]]) -> None:
    for name, fields in sides.items():
        fractions = torch.stack([value_fractions(field.image) for field in fields]).mean(0)
        coarse = fractions.reshape(-1, _BIN).sum(1)
        width = 2 * VALUE_LIMIT / len(coarse)
        at = torch.arange(len(coarse)) * width + width / 2 - VALUE_LIMIT
        axes.semilogy(at.numpy(), (coarse / width).numpy(), color=_COLOURS[name], label=name)
    axes.set_xlim(-6, 6)
    axes.set_ylim(1e-6, 1)
    axes.set_title("pixel values, density", fontsize=10)
    axes.set_xlabel("scaled MAD")
