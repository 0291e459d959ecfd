"""The noise report during training: its figures, as `val/...`, every so many images."""

import lightning as L

from cryoccd.callbacks.held_out import held_out_first, part_of
from cryoccd.callbacks.report import Report
from cryoccd.callbacks.shares import describe_shared
from cryoccd.callbacks.yardstick import Yardstick, diameter_A
from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.part import Part
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.methods.base import Translator
from cryoccd.metrics.fields import FieldFolder
from cryoccd.metrics.protocol import NoiseProtocol

FIGURES = ("psd_background_db", "contrast_error_db", "histogram_w1", "fd_scattering")


class NoiseReport(Report):
    """Translates the same micrographs with the same seeds every time, and compares with real ones.

    Processes share the micrographs.

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
        super().__init__("noise_report", tuple(figures), every_n_images)
        if micrographs < 1:
            raise CryoccdError(f"noise_report: micrographs = {micrographs}, expected 1 or more")
        self.micrographs, self.part, self.seed = micrographs, part, seed
        self.protocol = NoiseProtocol(crop_px, crops_per_micrograph, tile_px)
        self.protocol.as_dict()  # names a wrong crop before the work begins
        self.yardstick: Yardstick | None = None
        self.pair: Part | None = None  # that it looks at

    def prepare(self, trainer: L.Trainer) -> None:
        """Measure the real side."""
        self.yardstick = self._measured(trainer.datamodule)  # type: ignore[attr-defined]
        for figure, what in self.yardstick.missing().items():
            raise CryoccdError(
                f"noise_report: {figure} needs {what} (real side); leave it out of figures"
            )

    def measure(self, trainer: L.Trainer, model: Translator) -> dict[str, float]:
        """The figures of the card."""
        assert self.yardstick is not None
        assert self.pair is not None
        made = describe_shared(self.yardstick, trainer, model, self.seed, self.pair.style)
        report = self.yardstick.compare(made)
        return {name: m.value for name, m in report.items() if m.value is not None}

    def ideal(self, figure: str) -> float:
        """That of the card."""
        assert self.yardstick is not None  # prepared
        return self.yardstick.ideal(figure)

    def _measured(self, data: CryoDataModule) -> Yardstick:
        part = part_of(self.name, data, self.part)
        self.pair = part
        folder, simulated = part.real.folder, part.simulated.dataset
        diameter = diameter_A(folder)
        real = held_out_first(self.name, self.micrographs, part.real.held_out, part.real.names)
        others = tuple(name for name in part.real.names if name not in real)
        made = held_out_first(
            self.name, self.micrographs, part.simulated.held_out, part.simulated.names
        )
        return Yardstick(
            FieldFolder(folder, real, diameter),
            FieldFolder(open_folder(simulated.root), made, diameter, simulated),
            FieldFolder(folder, others, diameter) if others else None,
            self.figures,
            self.protocol,
        )
