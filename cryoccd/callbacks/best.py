"""`best.ckpt`, the checkpoint with the best value of one figure of the reports."""

from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Checkpoint
from rich.console import Console

from cryoccd.callbacks.report import Report, reports_of
from cryoccd.errors import CryoccdError
from cryoccd.records import UnpairedBatch


class BestCheckpoint(Checkpoint):
    """Saves `best.ckpt` beside `last.ckpt` whenever a figure is nearer to its ideal than before.

    It is for translation: reports fall within epochs, from where a run does not resume exactly. The
    figure, its value and the images seen stand in the checkpoint as the state of this callback.

    Args:
        figure: one of those of the reports, with or without `val/`; None saves none.
    """

    def __init__(self, figure: str | None = None) -> None:
        self.figure = figure and figure.removeprefix("val/")
        self.value: float | None = None
        self.images = 0
        self._report: Report | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look for the report, and for the checkpoint that an earlier part of the run made.

        Raises:
            CryoccdError: there is no report with that figure.
        """
        if self.figure is None:
            return
        reports = reports_of(trainer)
        if not reports:
            raise CryoccdError(
                f"best: figure = {self.figure}, but there is no noise report; set "
                "noise_report.every_n_images"
            )
        self._report = next((each for each in reports if self.figure in each.figures), None)
        if self._report is None:
            known = "; ".join(f"{each.name}.figures: {', '.join(each.figures)}" for each in reports)
            raise CryoccdError(f"best: figure = {self.figure}, expected one of {known}")
        if not trainer.strategy.broadcast(_path(trainer).is_file()):
            self.value = None  # a run that goes on in another folder

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: UnpairedBatch,
        batch_idx: int,
    ) -> None:
        """Save after a report that is better than all before."""
        if self._report is None or self.figure is None:
            return
        newest = self._report.newest
        if newest is None or newest.images != pl_module.images_seen:
            return
        value, ideal = newest.values.get(self.figure), self._report.ideal(self.figure)
        if value is None or (
            self.value is not None and abs(value - ideal) >= abs(self.value - ideal)
        ):
            return
        self.value, self.images = value, newest.images
        trainer.save_checkpoint(_path(trainer))

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tell which it was."""
        if self.value is not None and trainer.is_global_zero:
            Console().print(
                f"best {self.figure} {self.value:.4g} after {self.images:,} images",
                style="dim",
                highlight=False,
            )

    def state_dict(self) -> dict[str, Any]:
        """The best report so far."""
        return {"figure": self.figure, "value": self.value, "images": self.images}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from it, unless another figure is asked for now."""
        if state_dict["figure"] == self.figure:
            self.value, self.images = state_dict["value"], state_dict["images"]


def _path(trainer: L.Trainer) -> Path:
    return Path(trainer.default_root_dir) / "best.ckpt"
