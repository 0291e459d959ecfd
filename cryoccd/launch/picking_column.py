"""One data set of a picking table: a picker trained on every row's labels, judged on real ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from cryoccd.errors import UnfitError
from cryoccd.io.folder import open_folder
from cryoccd.launch.column import Column, Outcome, Row
from cryoccd.launch.pickers import PickerKind, Pickers, labelled, read_picks
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.picking.average_precision import precision_recall
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.task import PickingProtocol, PickingTask
from cryoccd.report.anchors import (
    PICKING,
    PICKING_TOPAZ,
    RANDOM_PICKS,
    REAL_TRAIN,
    TEMPLATE,
    TOPAZ_PRETRAINED,
    Anchors,
)
from cryoccd.report.picking_figure import draw_curves


@dataclass(frozen=True)
class PickingColumn(Column):
    """One data set: pickers trained on translated simulations find particles of its test split.

    Args:
        kind: which picker.
    """

    kind: PickerKind = "fast"
    picture: ClassVar[str] = "curves"

    @property
    def anchors(self) -> Anchors:
        """Real labels, Topaz's own detector, template matching and chance."""
        return PICKING_TOPAZ if self.kind == "topaz" else PICKING

    def prepare(self) -> None:
        """Make the folders that are absent."""
        self.fits.prepare(self.spec)
        count = self.matrix.picking.labelled
        for side in self.matrix.sides:
            places = self.fits.runs.data(self.spec.name, side)
            recipe = self.spec.recipe_of(side)
            recipe.prepare_labelled(places.simulated_for("picking"), places.real, count)

    @property
    def data_hash(self) -> str:
        """Hash of the real side, and of what methods and pickers are fitted on."""
        return self.places.hash_for("picking")

    @cached_property
    def pickers(self) -> Pickers:
        """Makes the pickers of this data set."""
        settings, real = self.matrix.picking, open_folder(self.places.real)
        protocol = PickingProtocol(self.diameter_A, radius=settings.radius, margin=settings.margin)
        task = PickingTask(real, tuple(real.names("test")), protocol)
        work = self.fits.runs.root / "picking" / self.spec.name
        device = self.fits.device
        return Pickers(task, work, self.kind, settings.fast, settings.topaz, device)

    def protocol(self) -> dict[str, Any]:
        """What counts as a hit, and the picker."""
        used = self.pickers.topaz if self.kind == "topaz" else self.pickers.fast
        settings = {name: value for name, value in asdict(used).items() if value is not None}
        return self.pickers.task.protocol.as_dict() | {
            "picker": self.kind,
            "picker_settings": {name: str(value) for name, value in settings.items()},
            "labelled": self.matrix.picking.labelled,
        }

    def decisive(self, row: Row, seed: int) -> dict[str, Any]:
        """The translations and the seed of the picker."""
        model = row.trained_on and self.fits.hash(row.method, row.trained_on, self._fit_seed)
        variant = self.matrix.variant(row.method)
        side = self.matrix.side_of(row.method)
        return {
            "seed": seed,
            "model": model,
            "set": variant.settings,
            "changes": variant.picker,
            "side": self.fits.runs.data(self.spec.name, side).hash_for("picking") if side else None,
        }

    def evaluate(self, row: Row, seed: int) -> Outcome:
        """Train a picker on the row's labels, or take a baseline, and judge its picks."""
        picks, chosen = self.picks(row, seed)
        with self.console.status(f"judge · {row.method} · {self.spec.name}"):
            return Outcome(self.pickers.task.figures(picks), chosen)

    def picks(self, row: Row, seed: int) -> tuple[dict[str, Picks], dict[str, Any]]:
        """Picks of the test split by a row's picker, and what the row's method chose."""
        pickers = self.pickers
        if row.method == REAL_TRAIN:
            return pickers.trained(REAL_TRAIN, labelled(pickers.task.folder, "train"), seed), {}
        if row.method == TEMPLATE:
            simulated = open_folder(self.places.simulated_for("picking"))
            return pickers.template(labelled(simulated)), {}
        if row.method == RANDOM_PICKS:
            return pickers.random(seed), {}
        if row.method == TOPAZ_PRETRAINED:
            return pickers.pretrained(), {}
        changes = self.matrix.variant(row.method).picker
        if changes and self.kind == "topaz":
            raise UnfitError(f"{', '.join(changes)} is a setting of the fast picker, not of Topaz")
        folder, chosen = self._translated(row)
        return pickers.trained(row.method, labelled(open_folder(folder)), seed, changes), chosen

    def draw(self, path: Path, rows: Sequence[Row], seeds: Sequence[int]) -> bool:
        """Precision against recall of every row, with the first seed."""
        task, curves = self.pickers.task, {}
        for row in rows:
            seed = 0 if row.method in (TEMPLATE, TOPAZ_PRETRAINED) else seeds[0]
            found = self.pickers.folder(row.method, seed) / "picks.csv"
            if found.is_file():
                parts = task.parts(read_picks(found, task.names))
                curves[row.method] = precision_recall(parts)
        if curves:
            title = f"{self.spec.name} · picker {self.kind} · real side: {self.spec.recipe.domain}"
            draw_curves(path, curves, self.anchors.all, title)
        return bool(curves)

    @property
    def _fit_seed(self) -> int:
        return self.matrix.picking.translator_seed

    def _translated(self, row: Row) -> tuple[Path, dict[str, Any]]:
        """The labelled set as the row's method translates it, and what the method chose."""
        assert row.trained_on is not None  # a method has what it is fitted on
        known = (self.matrix.translation_of(row.method), row.trained_on)
        folder = self.fits.translate(*known, self.spec.name, self._fit_seed, "picking")
        settings = self.matrix.variant(row.method).settings
        checkpoint = self.fits.checkpoint(*known, self._fit_seed)
        return folder, dict(load_translator(checkpoint, settings).choices())
