"""How long training waits for its data."""

import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from cryoccd.methods.fittable import Fittable


class DataTime(Callback):
    """Logs `train/data_share`, the part of the time that passes before a batch is there.

    The first batch of an epoch is left out: before it files are opened and checkpoints written.
    """

    def __init__(self) -> None:
        self._waited = self._worked = 0.0
        self._began = 0.0
        self._ended: float | None = None
        self._images = 0

    @property
    def share(self) -> float | None:
        """Time waited over all time, None before the second batch of an epoch."""
        total = self._waited + self._worked
        return self._waited / total if total else None

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget what passed between the epochs."""
        self._ended = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """The batch is there."""
        self._began = time.perf_counter()
        if self._ended is not None:
            self._waited += self._began - self._ended

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """The step is done."""
        now = time.perf_counter()
        if self._ended is not None:
            self._worked += now - self._began
            self._images += len(batch) * trainer.world_size
        self._ended = now
        if self.share is not None:
            pl_module.log("train/data_share", self.share)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tell the rate and the share."""
        if trainer.is_global_zero and isinstance(pl_module, Fittable) and self.share is not None:
            rate = self._images / (self._waited + self._worked)
            Console().print(
                f"{pl_module.images_seen:,} images · {rate:.3g} a second · "
                f"{100 * self.share:.1f} % of the time on data",
                style="dim",
                highlight=False,
            )
