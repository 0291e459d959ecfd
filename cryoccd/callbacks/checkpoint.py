"""One checkpoint, `last.ckpt`: written at epoch ends and at the end, exact on resume."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint


class LastCheckpoint(Checkpoint):
    """Saves `last.ckpt` in the run's folder, with the state of the random generator.

    Epoch ends are the only places where the position of the data sampler is a whole number, so a
    run that was killed and resumed gives the same weights to the last bit.

    Args:
        every_n_epochs: epochs between two checkpoints.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        self.every_n_epochs = every_n_epochs

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save after every n-th epoch."""
        if (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._save(trainer)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save the finished model."""
        self._save(trainer)

    def state_dict(self) -> dict[str, Any]:
        """State of the generators of this process."""
        state: dict[str, Any] = {"torch": torch.get_rng_state()}
        if torch.cuda.is_available():
            state["cuda"] = torch.cuda.get_rng_state_all()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Put the generators back."""
        torch.set_rng_state(state_dict["torch"].cpu())
        if "cuda" in state_dict and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([state.cpu() for state in state_dict["cuda"]])

    @staticmethod
    def _save(trainer: L.Trainer) -> None:
        trainer.save_checkpoint(Path(trainer.default_root_dir) / "last.ckpt")
