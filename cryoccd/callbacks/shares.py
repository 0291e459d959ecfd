"""A report's translations, shared by all processes of a training and without trace in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
import torch.distributed as dist
from lightning.pytorch.utilities.seed import isolate_rng

from cryoccd.callbacks.average import Average
from cryoccd.callbacks.yardstick import Yardstick
from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator
from cryoccd.metrics.card import Described


def describe_shared(
    yardstick: Yardstick, trainer: L.Trainer, model: Translator, seed: int, style: int
) -> Described:
    """The statistics of all translations, on every process; every process must call this.

    Args:
        yardstick: what is translated and described.
        trainer: of the training.
        model: in training; what a checkpoint would hold of it is judged.
        seed: of the noise.
        style: index of the acquisition style.

    Raises:
        CryoccdError: one of them is no image; raised by all processes.
    """
    names = yardstick.simulated.names
    saved = saved_model(trainer, model)
    own: list[Described | str] = []
    with aside(saved):
        for name in names[trainer.global_rank :: trainer.world_size]:
            try:
                made = yardstick.translated(saved, [name], seed, style)
                own.append(yardstick.card.describe(made, "generated"))
            except CryoccdError as error:  # a young model may give NaN, or a constant
                own.append(str(error))
    shares: list[Any] = [own]
    if trainer.world_size > 1:
        shares = [None] * trainer.world_size
        dist.all_gather_object(shares, own)
    parts = [shares[i % len(shares)][i // len(shares)] for i in range(len(names))]
    for part in parts:
        if isinstance(part, str):
            raise CryoccdError(part)
    return Described.joined(parts)


def saved_model(trainer: L.Trainer, model: Translator) -> Translator:
    """What a checkpoint would hold: the average, where there is one."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    average = next((each for each in callbacks if isinstance(each, Average)), None)
    saved = average.saved(model) if average else model
    assert isinstance(saved, Translator)
    return saved


@contextmanager
def aside(model: Translator) -> Iterator[None]:
    """Leave modes and random numbers as they were, and compile nothing for other sizes."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with (
            isolate_rng(torch.cuda.is_available()),
            torch.no_grad(),
            torch.compiler.set_stance("force_eager"),
        ):
            yield
    finally:
        for module, training in modes:
            module.training = training
