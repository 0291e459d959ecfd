"""Stop at a signal between two batches, with a checkpoint from where a run goes on exactly.

Ctrl-C, TERM (a machine that is taken away) and USR1 (SLURM's notice before the time is up) all do
the same; a second Ctrl-C stops at once. This callback is the one owner of signals while a fit runs:
Lightning's own handlers, for TERM and for SLURM, are replaced, and those that stood before come
back with its teardown.

A handler may find the process anywhere, so it only takes a note. Before a batch the processes of a
fit agree whether one of them has got a signal and which, and all stop there. What is sent to all
reaches some a batch later; still their exit codes are the same, by which SLURM's jobs come back.
Gradients that are still being accumulated are in no checkpoint: a run stops before the first batch
of a step.
"""

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch
import torch.distributed as dist
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies.launchers.multiprocessing import _MultiProcessingLauncher

from cryoccd.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Stopping(Callback):
    """Writes `last.ckpt` and raises `Stopped` before the next batch after a signal."""

    def __init__(self) -> None:
        self._number = 0
        self._owner = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the signals over, after Lightning has; only the main thread of a program may."""
        self._number, self._owner = 0, os.getpid()
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self._note)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop, where a signal came and no gradient waits for its step.

        Raises:
            Stopped: in all processes, or SystemExit where another process waits for them.
        """
        if batch_idx % getattr(pl_module, "accumulate_batches", 1):
            return
        if number := self._agreed(trainer):
            trainer.save_checkpoint(Path(trainer.default_root_dir) / "last.ckpt")
            if isinstance(trainer.strategy.launcher, _MultiProcessingLauncher):
                dist.destroy_process_group()
                raise SystemExit(128 + number)  # its processes swallow an interrupt in silence
            raise Stopped(number, trainer.is_global_zero)

    def _agreed(self, trainer: L.Trainer) -> int:
        """The signal that all stop for, 0 for none: TERM before USR1, as that one ends a job."""
        if trainer.world_size == 1:
            return self._number
        own = torch.tensor(self._number, device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(own, reduce_op="max"))

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            return  # a process that was forked from this one
        if number == signal.SIGINT and self._number == number:
            raise KeyboardInterrupt
        self._number = number
