"""The picking report during training: would a picker trained on these translations find particles?

Noise figures are a proxy. This one trains the fast picker from nothing on translations of held-out
simulated micrographs and judges it on held-out real ones; it takes about a minute a report.
"""

import lightning as L
from lightning.pytorch.utilities.seed import isolate_rng

from cryoccd.callbacks.held_out import held_out_first, part_of
from cryoccd.callbacks.picking_yardstick import PickingYardstick
from cryoccd.callbacks.report import Report
from cryoccd.callbacks.shares import aside, saved_model
from cryoccd.callbacks.yardstick import diameter_A
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator
from cryoccd.metrics.picking.task import FIGURES, PickingProtocol, PickingTask

_PICKER = PickerConfig()
_NAMES = tuple(figure.name for figure in FIGURES)


class PickingReport(Report):
    """Trains a picker on translated simulations and judges it on real micrographs.

    With several processes the first does all of it.

    Args:
        every_n_images: training images between two reports; one more comes at the end. None for no
            report.
        micrographs: how many of each side: of those that the data hold out (`validation`), and
            where these hold out none, the first ones, which are trained with as well.
        figures: their names.
        picker: how the picker is trained.
        part: place of the pair of folders, in data that have several.
        seed: of the noise and of the picker.

    Raises:
        CryoccdError: a number out of its range, or an unknown figure.
    """

    def __init__(
        self,
        every_n_images: int | None = None,
        micrographs: int = 16,
        figures: tuple[str, ...] = ("auprc",),
        picker: PickerConfig = _PICKER,
        part: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__("picking_report", tuple(figures), every_n_images)
        if micrographs < 1:
            raise CryoccdError(f"picking_report: micrographs = {micrographs}, expected 1 or more")
        if unknown := [name for name in figures if name not in _NAMES]:
            raise CryoccdError(
                f"picking_report: {unknown[0]} unknown; known are {', '.join(_NAMES)}"
            )
        self.micrographs, self.picker = micrographs, picker
        self.part, self.seed = part, seed
        self.yardstick: PickingYardstick | None = None
        self._style = 0

    def prepare(self, trainer: L.Trainer) -> None:
        """Read the particles of the real side."""
        part = part_of(self.name, trainer.datamodule, self.part)  # type: ignore[attr-defined]
        real, simulated = part.real, part.simulated
        diameter = diameter_A(real.folder)
        if diameter is None or not real.folder.has_picks:
            what = "particle diameter" if real.folder.has_picks else "picks"
            raise CryoccdError(f"picking_report: {real.folder.root} has no {what} to judge by")
        count = self.micrographs
        names = held_out_first(self.name, count, real.held_out, real.names)
        made = held_out_first(self.name, count, simulated.held_out, simulated.names)
        task = PickingTask(real.folder, names, PickingProtocol(diameter))
        self.yardstick = PickingYardstick(simulated.dataset, made, task, self.picker)
        self._style = part.style

    def measure(self, trainer: L.Trainer, model: Translator) -> dict[str, float]:
        """The figures of the picker."""
        assert self.yardstick is not None  # prepared
        values: dict[str, float] = {}
        fault = ""
        if trainer.is_global_zero:
            try:
                with isolate_rng():
                    values = self._values(self.yardstick, saved_model(trainer, model))
            except CryoccdError as error:  # a young model may give NaN, or a constant
                fault = str(error)
        values, fault = trainer.strategy.broadcast((values, fault))
        if fault:
            raise CryoccdError(fault)
        return values

    def ideal(self, figure: str) -> float:
        """Every particle, and nothing else."""
        return 1.0

    def _values(self, yardstick: PickingYardstick, model: Translator) -> dict[str, float]:
        with yardstick.folder() as folder:
            with aside(model):
                yardstick.translate(model, folder, self.seed, self._style)
            metrics = yardstick.figures(folder, self.seed)
        found = {name: metrics[name].value for name in self.figures}
        return {name: value for name, value in found.items() if value is not None}
