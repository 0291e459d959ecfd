"""The progress bar of a training that is minutes long."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from cryoccd.io.progress import progress_bar


class TrainingBar(Callback):
    """The bar of all long work, over the steps of a training of one epoch.

    Args:
        title: what is trained.
    """

    def __init__(self, title: str) -> None:
        self._title, self._bar = title, progress_bar()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin."""
        self._bar.start()
        self._task = self._bar.add_task(self._title, total=trainer.num_training_batches)

    def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
        """One step on."""
        self._bar.advance(self._task)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the bar as it is."""
        self._bar.stop()

    def on_exception(self, *args: Any, **kwargs: Any) -> None:
        """Give the terminal back."""
        self._bar.stop()
