"""An exponential moving average of the weights, which is what a finished run keeps."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import EMAWeightAveraging

from cryoccd.errors import CryoccdError


class Average(EMAWeightAveraging):
    """Lightning's moving average, begun after the calibration, updated after every step.

    The checkpoint's `state_dict` holds the average, `current_model_state` what training goes on
    with. Buffers are copied, never averaged: they hold what was measured.

    Args:
        decay: weight of the past at each step; None trains without an average.

    Raises:
        CryoccdError: the decay is not within 0 and 1.
    """

    def __init__(self, decay: float | None = None) -> None:
        if decay is not None and not 0 <= decay < 1:
            raise CryoccdError(f"average: decay = {decay}, expected 0 to below 1, or null for none")
        super().__init__(use_buffers=False, decay=decay or 0.0)
        self.decay = decay
        self._restored: dict[str, Any] | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Wait: calibration changes the shape of buffers."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin with the calibrated weights, or where the checkpoint stopped."""
        if self.decay is None:
            return
        super().setup(trainer, pl_module, "fit")
        if self._restored is not None:
            assert self._average_model is not None  # setup made it
            self._average_model.load_state_dict(self._restored)

    def saved(self, pl_module: L.LightningModule) -> Any:
        """The model that `state_dict` of a checkpoint made now would hold."""
        return pl_module if self._average_model is None else self._average_model.module

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Take the new weights in."""
        if self.decay is not None:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Nothing: every step has been taken in."""

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Nothing: the last checkpoint, too, has the average and what training goes on with."""

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Put the average where `translate` looks."""
        if self._average_model is not None:
            super().on_save_checkpoint(trainer, pl_module, checkpoint)

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on with the weights that were trained, and keep the average for the start.

        Raises:
            CryoccdError: the run had no average and this one has, or the other way round.
        """
        averaged = "current_model_state" in checkpoint
        if averaged != (self.decay is not None):
            made = "with" if averaged else "without"
            raise CryoccdError(
                f"average: decay = {self.decay}, but the checkpoint was made {made} an average; "
                "fit again"
            )
        if not averaged:
            return
        pl_module.load_state_dict(checkpoint["current_model_state"])
        average = {f"module.{name}": value for name, value in checkpoint["state_dict"].items()}
        self._restored = average | checkpoint["averaging_state"]
