"""Figures during training, as `val/...`, every so many images."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator
from cryoccd.records import UnpairedBatch


@dataclass(frozen=True)
class Values:
    """The figures that are defined, after so many training images."""

    images: int
    values: dict[str, float]


class Report(Callback, ABC):
    """Measures the model that a checkpoint would hold: the average, where there is one.

    Training goes on to the same weights to the last bit as without a report.

    Args:
        name: of the report's settings.
        figures: names of its figures.
        every_n_images: training images between two reports; one more comes at the end. None for no
            report.

    Raises:
        CryoccdError: a number out of its range, or no figure.
    """

    def __init__(self, name: str, figures: tuple[str, ...], every_n_images: int | None) -> None:
        if every_n_images is not None and every_n_images < 1:
            raise CryoccdError(f"{name}: every_n_images = {every_n_images}, expected 1 or more")
        if not figures:
            raise CryoccdError(f"{name}: figures is empty, expected one or more")
        self.name, self.figures, self.every_n_images = name, figures, every_n_images
        self.newest: Values | None = None

    @abstractmethod
    def prepare(self, trainer: L.Trainer) -> None:
        """Measure what does not change.

        Raises:
            CryoccdError: the data do not allow a figure.
        """

    @abstractmethod
    def measure(self, trainer: L.Trainer, model: Translator) -> dict[str, float]:
        """The figures that are defined; every process calls this, one value of all counts.

        Raises:
            CryoccdError: the model gave no images; raised by all processes.
        """

    @abstractmethod
    def ideal(self, figure: str) -> float:
        """The value of a perfect model."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """See `prepare`."""
        if self.every_n_images is not None:
            self.prepare(trainer)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: UnpairedBatch,
        batch_idx: int,
    ) -> None:
        """Report where a multiple of `every_n_images` was passed, and at the end of the budget."""
        if self.every_n_images is None:
            return
        assert isinstance(pl_module, Translator)
        seen = pl_module.images_seen
        before = seen - len(batch) * trainer.world_size
        passed = seen // self.every_n_images > before // self.every_n_images
        if passed or seen >= pl_module.max_images:
            self._report(trainer, pl_module)

    def _report(self, trainer: L.Trainer, model: Translator) -> None:
        values: dict[str, float] = {}
        try:
            values = self.measure(trainer, model)
        except CryoccdError as error:  # of all processes
            if trainer.is_global_zero:
                message = f"no {self.name.replace('_', ' ')}: {error}"
                Console().print(message, style="dim", markup=False)
        # what hangs on them, such as whether a checkpoint is saved, is the same everywhere
        values = trainer.strategy.broadcast(values)
        self.newest = Values(model.images_seen, values)
        logged = {f"val/{name}": value for name, value in values.items()}
        model.log_dict(logged, logger=False)  # which would be handed every n-th step alone
        for logger in trainer.loggers if logged else ():
            images = {"train/images": float(model.images_seen)}
            logger.log_metrics(logged | images, step=model.images_seen)


def reports_of(trainer: L.Trainer) -> list[Report]:
    """The reports that a fit makes."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]  # set by Lightning's connector
    return [each for each in callbacks if isinstance(each, Report) and each.every_n_images]
