"""Crops and spectra of the sets that a table's rows generated, from what is left on disk."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.launch.dashboard_rows import Rows
from cryoccd.launch.noise_gallery import CROPS, crops
from cryoccd.launch.places import Places, Runs
from cryoccd.metrics.fields import FieldFolder, read_fields
from cryoccd.metrics.spectral.areas import area_mask
from cryoccd.metrics.spectral.tile_power import tile_sums
from cryoccd.report.gallery import CLEAN, REAL, clean_scale, noisy_scale
from cryoccd.report.web.dashboard import Curves
from cryoccd.report.web.grey_png import grey_png
from cryoccd.report.web.line_chart import COLOURS, Array, Chart, Line, stroke
from cryoccd.report.web.viewer import Viewer

GREYS = 32
"""Of noisy pictures."""
_MICROGRAPHS = 4  # of each side: enough for a smooth curve
_TILE_PX = 128


@dataclass(frozen=True)
class GeneratedSets:
    """What the rows of a table generated for one of its data sets.

    Args:
        rows: of the table.
        dataset: the data set.
        runs: where a run of the profile keeps its folders.
    """

    rows: Rows
    dataset: str
    runs: Runs

    @cached_property
    def folders(self) -> dict[str, Path]:
        """Finished sets of the rows that are shown."""
        there = {}
        for method in self.rows.methods:
            cells = self.rows.table.cells.get((method, self.dataset), ())
            if cells and "training" in cells[0].protocol:
                folder = self.rows.generated(cells[0], self.runs)
                if (folder / "manifest.json").is_file():
                    there[method] = folder
        return {method: there[method] for method in self.rows.shown(list(there), self.dataset)}

    @property
    def nearest(self) -> str:
        """The shown row that is nearest to the ideal of the first metric."""
        return min(self.folders, key=lambda name: self.rows.distance(name, self.dataset))

    @property
    def places(self) -> Places:
        """Folders of the data set."""
        return self.runs.data(self.dataset)

    def pictures(self, folder: Path) -> dict[str, Path]:
        """Files NAME_DATASET.png of the results folder, by NAME."""
        found = {}
        for path in sorted(folder.glob(f"*_{self.dataset}.png")):
            owners = [d for d in self.rows.table.datasets if path.stem.endswith(f"_{d}")]
            if max(owners, key=len) == self.dataset:  # that of thin_ice ends in _ice as well
                found[path.stem.removesuffix(f"_{self.dataset}")] = path
        return found

    @property
    def crops(self) -> int:
        """How many crops its viewer has."""
        return CROPS * (len(self.folders) + 2) if self.folders else 0

    def viewer(self, side_px: int) -> Viewer:
        """Crops of the clean set, of every row and of the real test split.

        Raises:
            CryoccdError: a set cannot be read.
        """
        use = self.rows.use
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
                else grey_png(crop.numpy(), noisy, GREYS)
                for crop in images
            )
            for name, images in columns.items()
        }
        side = int(columns[REAL][0].shape[-1])
        caption = (
            f"Crops of {side} px ({side * pixel_size_A / 10:.3g} nm). All but clean share one grey "
            f"scale, {noisy[0]:.3g} to {noisy[1]:.3g} in scaled MAD (0.5 to 99.5 % of real), in "
            f"{GREYS} greys. Real crops show other particles than the rest.{self.rows.choice}"
        )
        return Viewer(pngs, side, caption, self.nearest)

    def spectra(self) -> Curves:
        """Radial power of every row and of the real test split, and the ratio of the two.

        Raises:
            CryoccdError: a set cannot be read.
        """
        held_out = read_fields(self.places.real, "test", _MICROGRAPHS)
        made = {n: read_fields(folder, None, _MICROGRAPHS) for n, folder in self.folders.items()}
        shapes = [shape for side in (held_out, *made.values()) for shape in side.shapes_px()]
        tile_px = min([_TILE_PX, *map(min, shapes)])  # one for all, so that their rings compare
        real = _rings(held_out, tile_px)
        rows = {name: _rings(fields, tile_px) for name, fields in made.items()}
        frequency = np.arange(1, len(real) + 1) / (tile_px * held_out.folder.pixel_size_A)
        # the colours of the other charts, where these are not too many to be told apart
        methods = self.rows.methods
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
            f"a set, each at median 0 and scaled MAD 1, to Nyquist.{self.rows.choice}"
        )
        return Curves(charts, tuple(power), names, caption)


def _rings(fields: FieldFolder, tile_px: int) -> Array:
    """Mean power of the rings from the first to Nyquist."""
    if not len(fields):
        raise CryoccdError(f"{fields.folder.root}: no micrograph; run the table again")
    total, weight = torch.zeros(tile_px, tile_px, dtype=torch.float64), 0.0
    for field in fields:
        power, part = tile_sums(field.image, area_mask(field, "whole"), tile_px)
        total, weight = total + power, weight + part
    rings: Array = radial_average(total / weight)[1 : tile_px // 2 + 1].numpy()
    return rings
