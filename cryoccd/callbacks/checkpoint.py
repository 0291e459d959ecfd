"""One checkpoint, `last.ckpt`: written at epoch ends, at the end and at a stop, exact on resume."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint


class LastCheckpoint(Checkpoint):
    """Saves `last.ckpt` in the run's folder, with the state of the random generator.

    A run that was killed and resumed gives the same weights to the last bit. After a stop within an
    epoch (see Stopping) the sampler leaves out what the epoch had already, and the generators are
    put back once its first batch is there: to open a loader anew draws from them.

    Args:
        every_n_epochs: epochs between two checkpoints.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        self.every_n_epochs = every_n_epochs
        self._trainer: L.Trainer | None = None
        self._state: dict[str, Any] | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Know the trainer, for its place in the epoch."""
        self._trainer = trainer

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Put the generators back, in the first batch after a stop within an epoch."""
        if self._state is not None:
            self._set(self._state)
            self._state = None

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save after every n-th epoch."""
        if (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._save(trainer)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save the finished model."""
        self._save(trainer)

    def state_dict(self) -> dict[str, Any]:
        """State of the generators of this process."""
        state: dict[str, Any] = {"torch": torch.get_rng_state(), "batches": 0}
        loop: Any = self._trainer and self._trainer.fit_loop  # its counters are of a common base
        if loop and loop.epoch_progress.current.processed < loop.epoch_progress.current.started:
            state["batches"] = loop.epoch_loop.batch_progress.current.processed
        if torch.cuda.is_available():
            state["cuda"] = torch.cuda.get_rng_state_all()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Put the generators back."""
        self._set(state_dict)
        # a run of an earlier version stopped at epoch ends alone
        self._state = state_dict if state_dict.get("batches") else None

    @staticmethod
    def _set(state_dict: dict[str, Any]) -> None:
        torch.set_rng_state(state_dict["torch"].cpu())
        if "cuda" in state_dict and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([state.cpu() for state in state_dict["cuda"]])

    @staticmethod
    def _save(trainer: L.Trainer) -> None:
        trainer.save_checkpoint(Path(trainer.default_root_dir) / "last.ckpt")
