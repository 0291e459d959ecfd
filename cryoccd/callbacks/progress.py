"""A progress bar that counts images and names what it trains."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cryoccd.methods.base import Translator


class FitProgress(ProgressBar):
    """Images done of the budget, time left, and the newest losses.

    Args:
        title: what stands before the bar.
    """

    def __init__(self, title: str = "fit") -> None:
        super().__init__()
        self.title = title
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def disable(self) -> None:
        """Lightning turns the bar off on all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Turn the bar on."""
        self._enabled = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar."""
        if not trainer.is_global_zero or not isinstance(pl_module, Translator):
            return
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("images"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
        )
        self._task = self._progress.add_task(
            self.title, total=pl_module.max_images, completed=pl_module.images_seen, losses=""
        )
        self._progress.start()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Advance."""
        if self._progress is None or not isinstance(pl_module, Translator):
            return
        metrics = self.get_metrics(trainer, pl_module)
        losses = " ".join(f"{k} {v:.3g}" for k, v in metrics.items() if isinstance(v, float))
        self._progress.update(self._task, completed=pl_module.images_seen, losses=losses)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Close the bar, also after an error."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
