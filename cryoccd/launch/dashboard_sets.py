"""Crops and spectra of the sets that a table's rows generated, from what is left on disk."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.launch.dashboard_tables import FoundTable
from cryoccd.launch.noise_gallery import crops
from cryoccd.launch.places import Places, Runs, Use
from cryoccd.metrics.fields import read_fields
from cryoccd.metrics.measure import Field
from cryoccd.metrics.spectral.areas import area_mask
from cryoccd.metrics.spectral.tile_power import tile_sums
from cryoccd.report.cells import ResultCell
from cryoccd.report.figure import distance
from cryoccd.report.gallery import CLEAN, REAL, clean_scale, noisy_scale
from cryoccd.report.table import Table
from cryoccd.report.web.dashboard import Curves
from cryoccd.report.web.grey_png import grey_png
from cryoccd.report.web.line_chart import COLOURS, Array, Chart, Line, stroke
from cryoccd.report.web.viewer import Viewer

MOST = 12
"""Methods that are shown, those nearest to the ideal of the first metric."""
_MICROGRAPHS = 4  # of each side: enough for a smooth curve
_TILE_PX = 128
_GREYS = 32
_USES: dict[str, Use] = {"picking": "picking", "resolution": "picking", "pose": "pose"}


@dataclass(frozen=True)
class GeneratedSets:
    """What the rows of a table generated for one of its data sets.

    Args:
        found: the table.
        table: its figures.
        dataset: the data set.
        runs: where a run of the profile keeps its folders.
    """

    found: FoundTable
    table: Table
    dataset: str
    runs: Runs

    @cached_property
    def folders(self) -> dict[str, Path]:
        """Finished sets by row, at most `MOST`."""
        if self.found.kind == "volume":  # boxes, no micrographs
            return {}
        use = _USES.get(self.found.kind)
        there = {}
        for method in self.table.methods:
            cells = self.table.cells.get((method, self.dataset), ())
            if cells and "training" in cells[0].protocol:
                seed = 0 if use else cells[0].seed  # for a use, a method is fitted once
                folder = self.runs.generated(method, label_of(cells[0]), self.dataset, seed, use)
                if (folder / "manifest.json").is_file():
                    there[method] = folder
        nearest = sorted(there, key=self._distance)[:MOST]
        return {method: folder for method, folder in there.items() if method in nearest}

    @property
    def places(self) -> Places:
        """Folders of the data set."""
        return self.runs.data(self.dataset)

    def viewer(self, side_px: int) -> Viewer:
        """Crops of the clean set, of every row and of the real test split.

        Raises:
            CryoccdError: a set cannot be read.
        """
        use = _USES.get(self.found.kind)
        simulated = self.places.simulated_for(use) if use else self.places.simulated_test
        if not (simulated / "manifest.json").is_file():
            simulated = next(iter(self.folders.values()))  # holds what it was made from
        columns, pixel_size_A = crops(simulated, self.places.real, self.folders, side_px)
        centre, reach = clean_scale(columns[CLEAN])
        noisy = noisy_scale(columns[REAL])
        pngs = {
            name: tuple(
                grey_png(crop.numpy(), (centre - reach, centre + reach), 256)
                if name == CLEAN
                else grey_png(crop.numpy(), noisy, _GREYS)
                for crop in images
            )
            for name, images in columns.items()
        }
        side = int(columns[REAL][0].shape[-1])
        caption = (
            f"Crops of {side} px ({side * pixel_size_A / 10:.3g} nm). All but clean share one grey "
            f"scale, {noisy[0]:.3g} to {noisy[1]:.3g} in scaled MAD (0.5 to 99.5 % of real), in "
            f"{_GREYS} greys. Real crops show other particles than the rest.{self._choice}"
        )
        nearest = min(self.folders, key=self._distance)
        return Viewer(pngs, side, caption, nearest)

    def spectra(self) -> Curves:
        """Radial power of every row and of the real test split, and the ratio of the two.

        Raises:
            CryoccdError: a set cannot be read.
        """
        real, frequency = self._radial(self.places.real, "test")
        rows = {name: self._radial(folder)[0] for name, folder in self.folders.items()}
        methods = [name for name in self.table.methods if name not in self.table.anchors.all]
        # the colours of the other charts, where these are not too many to be told apart
        order = methods if len(methods) <= 2 * COLOURS else list(rows)
        styles = {name: stroke(k) for k, name in enumerate(order)}
        power = [Line(name, frequency, rows[name], styles[name]) for name in rows]
        ratio = [
            Line(name, frequency, 10 * np.log10(rows[name] / real), styles[name]) for name in rows
        ]
        power.append(Line(REAL, frequency, real, stroke(0, "real")))
        ratio.append(Line(REAL, frequency, np.zeros_like(real), stroke(0, "real")))
        charts = (
            Chart("radial power", "spatial frequency, 1/Å", "power a pixel", tuple(power), "log"),
            Chart("against real", "spatial frequency, 1/Å", "ratio, dB", tuple(ratio)),
        )
        names = tuple(line.name for line in power)
        caption = (
            f"Rings of the spectra of Hann-windowed tiles, the first {_MICROGRAPHS} micrographs of "
            f"a set, each at median 0 and scaled MAD 1, to Nyquist.{self._choice}"
        )
        return Curves(charts, tuple(power), names, caption)

    @property
    def _choice(self) -> str:
        made = len([m for m in self.table.methods if m not in self.table.anchors.all])
        if made <= MOST:
            return ""
        return f" Of {made} rows the {MOST} with the best {self.table.metrics[0]}."

    def _distance(self, method: str) -> float:
        metric = self.table.metrics[0]
        figure = self.table.figures.get((method, self.dataset, metric))
        if figure is None or figure.value is None:
            return float("inf")
        return distance(metric, figure.value)

    def _radial(self, folder: Path, split: str | None = None) -> tuple[Array, Array]:
        fields = list(islice(read_fields(folder, split, _MICROGRAPHS), _MICROGRAPHS))
        tile_px = min([_TILE_PX, *(min(field.image.shape) for field in fields)])
        rings = radial_average(_power(fields, tile_px))[1 : tile_px // 2 + 1].numpy()
        frequency = np.arange(1, len(rings) + 1) / (tile_px * fields[0].pixel_size_A)
        return rings, frequency


def label_of(cell: ResultCell) -> str:
    """What folders call the data that a cell's model was fitted on."""
    styles = "-".join(cell.protocol["train_styles"])
    return styles if cell.protocol["training"] == "per_style" else f"mixed_{styles}"


def _power(fields: list[Field], tile_px: int) -> Tensor:
    if not fields:
        raise CryoccdError("spectra: no micrograph in a set; run the table again")
    total, weight = torch.zeros(tile_px, tile_px, dtype=torch.float64), 0.0
    for field in fields:
        power, part = tile_sums(field.image, area_mask(field, "whole"), tile_px)
        total, weight = total + power, weight + part
    return total / weight
