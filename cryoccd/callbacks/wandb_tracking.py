"""What a tracked fit tells W&B beside its losses: goals of its figures, and small pictures."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from cryoccd.callbacks.noise_report import NoiseReport
from cryoccd.callbacks.picking_report import PickingReport
from cryoccd.callbacks.report import Report, reports_of
from cryoccd.callbacks.wandb_gallery import Gallery
from cryoccd.callbacks.wandb_logger import RunLogger
from cryoccd.callbacks.wandb_record import Goal
from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator
from cryoccd.records import UnpairedBatch

_DISTANCES = ("psd_", "acf_", "histogram_", "fd_", "kid_", "fid_", "cmmd_")
"""Figures that are 0 at best and not signed."""


class Tracking(Callback):
    """Does nothing without the W&B logger.

    Pictures come with the noise report: clean, translated and real crops, a table of them after
    so many of the reports that no run has more than `galleries`, the last one among them.

    Args:
        crops: rows of a table.
        crop_px: side of the crops; small, since W&B keeps each of them.
        galleries: tables of a run; 0 for none.

    Raises:
        CryoccdError: a number out of its range.
    """

    def __init__(self, crops: int = 4, crop_px: int = 64, galleries: int = 8) -> None:
        for name, value, least, most in (
            ("crops", crops, 1, 16),
            ("crop_px", crop_px, 8, 128),
            ("galleries", galleries, 0, 64),
        ):
            if not least <= value <= most:
                raise CryoccdError(f"tracking: {name} = {value}, expected {least} to {most}")
        self.crops, self.crop_px, self.galleries = crops, crop_px, galleries
        self._gallery: Gallery | None = None

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the run; data and configuration are in order by now."""
        if (logger := _logger(trainer)) and trainer.is_global_zero:
            logger.experiment.id  # noqa: B018  # opens it

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tell which way figures are better; the reports know their ideals now."""
        if not (logger := _logger(trainer)):
            return
        goals: dict[str, Goal] = {}
        for report in reports_of(trainer):
            goals |= _goals(report)
            if isinstance(report, NoiseReport):
                self._gallery = Gallery(report, self.crops, self.crop_px)
        logger.expect(goals)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: UnpairedBatch,
        batch_idx: int,
    ) -> None:
        """Log what comes with a report."""
        logger = _logger(trainer)
        if not logger or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, Translator)
        seen = pl_module.images_seen
        newest = [r for r in reports_of(trainer) if r.newest and r.newest.images == seen]
        for report in newest:
            assert report.newest is not None  # chosen so
            logger.put(seen, _distances(report, report.newest.values))
            if isinstance(report, NoiseReport) and self._shown(report, seen, pl_module.max_images):
                assert self._gallery is not None  # made when training began
                logger.put(seen, self._gallery.draw(trainer, pl_module))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log all of what the checkpoint that comes now has seen."""
        if logger := _logger(trainer):
            logger.commit()

    def _shown(self, report: NoiseReport, seen: int, budget: int) -> bool:
        """Whether a report is one of those with pictures, counted back from the last."""
        assert report.every_n_images is not None  # it has reported
        reports = -(-budget // report.every_n_images)
        number = reports if seen >= budget else seen // report.every_n_images
        apart = -(-reports // self.galleries) if self.galleries else 0
        return apart > 0 and (reports - number) % apart == 0


def _logger(trainer: L.Trainer) -> RunLogger | None:
    return next((each for each in trainer.loggers if isinstance(each, RunLogger)), None)


def _goals(report: Report) -> dict[str, Goal]:
    """A signed figure has neither a least nor a greatest value that is best, its distance has."""
    if isinstance(report, PickingReport):
        return {f"val/{name}": "max" for name in report.figures}
    distances = {f"val/{name}": name for name in report.figures}
    return {key if _one_sided(name) else f"{key}_off": "min" for key, name in distances.items()}


def _distances(report: Report, values: dict[str, float]) -> dict[str, float]:
    """How far the figures without a goal of their own are from their ideals."""
    known = {f"val/{name}_off": abs(v - report.ideal(name)) for name, v in values.items()}
    return {name: value for name, value in known.items() if name in _goals(report)}


def _one_sided(name: str) -> bool:
    return name.startswith(_DISTANCES)
