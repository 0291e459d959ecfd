"""Checkpoints that appear whole or not at all, on any file system.

Lightning writes them into the machine's folder for temporary files and moves them from there. On
another file system, as a run's folder mostly is on a cluster, that is a copy over the last one: a
machine that is taken away in that moment leaves neither.
"""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from cryoccd.io.atomic import atomic_path


class CheckpointFile(TorchCheckpointIO):
    """Writes a checkpoint beside the one that it takes the place of."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write it, sync it, and rename it."""
        with atomic_path(Path(path)) as temporary, temporary.open("wb") as stream:
            torch.save(checkpoint, stream)
