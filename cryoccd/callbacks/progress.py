"""A progress bar that counts images and names what it trains."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.status import Status

from cryoccd.io.progress import progress_bar
from cryoccd.methods.fittable import Fittable


class FitProgress(ProgressBar):
    """Images done of the budget, time left, and the newest losses.

    Args:
        title: what stands before the bar.
    """

    def __init__(self, title: str = "fit") -> None:
        super().__init__()
        self.title = title
        self._status: Status | None = None
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def disable(self) -> None:
        """Lightning turns the bar off on all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Turn the bar on."""
        self._enabled = True

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Say that the method is being calibrated, which has no count."""
        super().setup(trainer, pl_module, stage)
        if trainer.is_global_zero:
            self._status = Console().status(f"{self.title} · calibrating")
            self._status.start()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar."""
        if not trainer.is_global_zero or not isinstance(pl_module, Fittable):
            return
        self._close()
        self._progress = progress_bar()
        self._task = self._progress.add_task(
            self.title, total=pl_module.max_images, completed=pl_module.images_seen
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
        if self._progress is None or not isinstance(pl_module, Fittable):
            return
        metrics = self.get_metrics(trainer, pl_module)
        losses = " ".join(f"{k} {v:.3g}" for k, v in metrics.items() if isinstance(v, float))
        title = f"{self.title} · images [dim]{losses}[/dim]"
        self._progress.update(self._task, completed=pl_module.images_seen, description=title)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Close the bar."""
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Close the bar after an error, when nothing is torn down."""
        self._close()

    def _close(self) -> None:
        if self._status is not None:
            self._status.stop()
        if self._progress is not None:
            self._progress.stop()
        self._status = self._progress = None
