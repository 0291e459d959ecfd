"""Trainings that are minutes long: one epoch, no logger, no checkpoints, one progress bar."""

from typing import Any

import lightning as L
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Callback

from cryoccd.io.progress import progress_bar
from cryoccd.io.quiet import quieten_lightning


def small_trainer(accelerator: str, watch: Callback, **options: Any) -> L.Trainer:
    """A trainer that says and writes nothing by itself.

    Args:
        accelerator: where to compute, cpu, cuda or auto.
        watch: shows the progress.
        options: further ones of the trainer.
    """
    quieten_lightning()
    return L.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[watch],
        plugins=[LightningEnvironment()],  # also within a job of SLURM, whose signals are not its
        **options,
    )


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
