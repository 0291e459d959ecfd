"""The noise report during training: its figures, as `val/...`, every so many images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from cryoccd.callbacks.shares import describe_shared
from cryoccd.callbacks.yardstick import Yardstick, diameter_A
from cryoccd.data.datamodule import CryoDataModule
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.methods.base import Translator
from cryoccd.metrics.fields import FieldFolder
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.records import UnpairedBatch

FIGURES = ("psd_background_db", "contrast_error_db", "histogram_w1", "fd_scattering")


@dataclass(frozen=True)
class Report:
    """The figures that are defined, after so many training images."""

    images: int
    values: dict[str, float]


class NoiseReport(Callback):
    """Translates the same micrographs with the same seeds every time, and compares with real ones.

    The model is what a checkpoint would hold: the average, where there is one. Its training goes on
    to the same weights to the last bit as without a report. Processes share the micrographs.

    Args:
        every_n_images: training images between two reports; one more comes at the end. None for no
            report.
        micrographs: how many of each side: of those that the data hold out (`validation`), and
            where these hold out none, the first ones, which are trained with as well.
        figures: their names in the report card.
        crop_px: side of the crops whose features are compared.
        crops_per_micrograph: how many.
        tile_px: side of the tiles of the spectra, cut down to the smallest micrograph.
        part: place of the pair of folders, in data that have several.
        seed: of the noise.

    Raises:
        CryoccdError: a number out of its range, or no figure.
    """

    def __init__(
        self,
        every_n_images: int | None = None,
        micrographs: int = 8,
        figures: tuple[str, ...] = FIGURES,
        crop_px: int = 64,
        crops_per_micrograph: int = 16,
        tile_px: int = 128,
        part: int = 0,
        seed: int = 0,
    ) -> None:
        for name, value in (("every_n_images", every_n_images), ("micrographs", micrographs)):
            if value is not None and value < 1:
                raise CryoccdError(f"noise_report: {name} = {value}, expected 1 or more")
        if not figures:
            raise CryoccdError("noise_report: figures is empty, expected one or more")
        self.every_n_images, self.micrographs = every_n_images, micrographs
        self.figures, self.part, self.seed = tuple(figures), part, seed
        self.protocol = NoiseProtocol(crop_px, crops_per_micrograph, tile_px)
        self.protocol.as_dict()  # names a wrong crop before the work begins
        self.yardstick: Yardstick | None = None
        self.newest: Report | None = None
        self._style = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Measure the real side.

        Raises:
            CryoccdError: the data do not allow a figure.
        """
        if self.every_n_images is None:
            return
        self.yardstick = self._measured(trainer.datamodule)  # type: ignore[attr-defined]
        for figure, what in self.yardstick.missing().items():
            raise CryoccdError(
                f"noise_report: {figure} needs {what} (real side); leave it out of figures"
            )

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: UnpairedBatch,
        batch_idx: int,
    ) -> None:
        """Report where a multiple of `every_n_images` was passed, and at the end of the budget."""
        if self.yardstick is None or self.every_n_images is None:
            return
        assert isinstance(pl_module, Translator)
        seen = pl_module.images_seen
        before = seen - len(batch) * trainer.world_size
        passed = seen // self.every_n_images > before // self.every_n_images
        if passed or seen >= pl_module.max_images:
            self._report(self.yardstick, trainer, pl_module)

    def _measured(self, data: CryoDataModule) -> Yardstick:
        if not 0 <= self.part < len(data.parts):
            raise CryoccdError(
                f"noise_report: part = {self.part}, expected 0 to {len(data.parts) - 1}"
            )
        part = data.parts[self.part]
        self._style = part.style
        folder, simulated = part.real.folder, part.simulated.dataset
        diameter = diameter_A(folder)
        real = self._chosen(part.real.held_out, part.real.names)
        others = tuple(name for name in part.real.names if name not in real)
        made = self._chosen(part.simulated.held_out, part.simulated.names)
        return Yardstick(
            FieldFolder(folder, real, diameter),
            FieldFolder(open_folder(simulated.root), made, diameter, simulated),
            FieldFolder(folder, others, diameter) if others else None,
            self.figures,
            self.protocol,
        )

    def _chosen(self, held_out: Sequence[str], trained: Sequence[str]) -> tuple[str, ...]:
        names, kind = (held_out, "held out") if held_out else (trained, "there")
        if len(names) < self.micrographs:
            raise CryoccdError(
                f"noise_report: micrographs = {self.micrographs}, expected at most {len(names)}, "
                f"as many as are {kind} on a side; see the data's validation"
            )
        return tuple(names[: self.micrographs])

    def _report(self, yardstick: Yardstick, trainer: L.Trainer, model: Translator) -> None:
        values: dict[str, float] = {}
        try:
            made = describe_shared(yardstick, trainer, model, self.seed, self._style)
            report = yardstick.compare(made)
            values = {name: m.value for name, m in report.items() if m.value is not None}
        except CryoccdError as error:  # of all processes
            if trainer.is_global_zero:
                Console().print(f"no noise report: {error}", style="dim", markup=False)
        # what hangs on them, such as whether a checkpoint is saved, is the same everywhere
        values = trainer.strategy.broadcast(values)
        self.newest = Report(model.images_seen, values)
        logged = {f"val/{name}": value for name, value in values.items()}
        model.log_dict(logged, logger=False)  # which would be handed every n-th step alone
        for logger in trainer.loggers if logged else ():
            images = {"train/images": float(model.images_seen)}
            logger.log_metrics(logged | images, step=model.images_seen)
