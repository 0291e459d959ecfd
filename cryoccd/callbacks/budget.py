"""Calibrate before training, count images, stop at the budget."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from cryoccd.methods.fittable import Fittable


class TrainingBudget(Callback):
    """Runs `calibrate` once, logs `train/images`, stops after `max_images`.

    Images are the x axis of every logger too: `step` is what Lightning hands them as theirs.
    A method without a training budget is calibrated and not trained.
    """

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Calibrate, unless a checkpoint has brought the calibration along."""
        model = _fittable(pl_module)
        if not bool(model.calibrated):
            with torch.no_grad():
                model.calibrate(trainer.datamodule)  # type: ignore[attr-defined]
            model.calibrated.fill_(True)
        if model.max_images == 0:
            trainer.fit_loop.max_epochs = 0

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count the images of all processes."""
        model = _fittable(pl_module)
        model.images_seen += len(batch) * trainer.world_size
        model.log_dict({name: float(model.images_seen) for name in ("train/images", "step")})
        if model.images_seen >= model.max_images:
            trainer.should_stop = True

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the count in the checkpoint."""
        checkpoint["images_seen"] = _fittable(pl_module).images_seen

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on counting where the checkpoint stopped."""
        _fittable(pl_module).images_seen = int(checkpoint["images_seen"])


def _fittable(module: L.LightningModule) -> Fittable:
    if not isinstance(module, Fittable):
        raise TypeError(f"TrainingBudget serves methods of ours, got {type(module).__name__}")
    return module
