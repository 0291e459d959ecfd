"""Stop a training whose loss is no number, and keep the batch that did it."""

from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.methods.fittable import Fittable


def require_finite(module: Fittable, name: str, loss: Tensor, batch: Any) -> None:
    """Stop every process where the loss of one is not finite.

    Args:
        module: a method in training.
        name: of the loss, for the message.
        loss: scalar without gradient.
        batch: what it was computed of.

    Raises:
        CryoccdError: it is not finite; the batch is saved in the run's folder.
    """
    trainer = module.trainer
    of_all = loss.new_zeros(trainer.world_size)
    of_all[module.global_rank] = loss
    losses = trainer.strategy.reduce(of_all, reduce_op="sum").tolist()
    paths = {
        rank: Path(trainer.default_root_dir) / f"nonfinite_{module.images_seen}_{rank}.pt"
        for rank, value in enumerate(losses)
        if not isfinite(value)
    }
    if not paths:
        return
    own = paths.get(module.global_rank)
    if own is not None:
        own.parent.mkdir(parents=True, exist_ok=True)
        torch.save({k: v for k, v in vars(batch).items() if isinstance(v, Tensor)}, own)
    trainer.strategy.barrier()  # the file that is named is there
    rank, path = next(iter(paths.items()))
    raise CryoccdError(
        f"{module.label}: the {name} loss is {losses[rank]} after {module.images_seen} training "
        f"images; look for NaN in the data ({path} holds the batch), else lower the learning rate"
    )
