"""The reports of training for a checkpoint, on other micrographs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryoccd.callbacks.noise_report import NoiseReport
from cryoccd.callbacks.picking_report import PickingReport
from cryoccd.callbacks.picking_yardstick import PickingYardstick
from cryoccd.callbacks.yardstick import Yardstick, diameter_A
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file
from cryoccd.io.checked import read_yaml
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import open_folder
from cryoccd.io.progress import progress_bar
from cryoccd.launch.pickers import changed
from cryoccd.methods.base import Translator
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.card import Metric
from cryoccd.metrics.fields import read_fields
from cryoccd.metrics.measure import Figure
from cryoccd.metrics.picking.task import FIGURES as PICKING
from cryoccd.metrics.picking.task import PickingProtocol, PickingTask
from cryoccd.report.noise_card import NoiseCard


@dataclass(frozen=True)
class CheckpointReport:
    """What is reported of which checkpoint.

    Args:
        ckpt: of a fit, with its config.yaml beside it.
        real: folder of real micrographs; its test split, where it has one.
        simulated: dataset folder of simulated micrographs.
        micrographs: how many of a side at most; None for all.
        seed: of the noise and the picker.
        style: index of the acquisition style.
    """

    ckpt: Path
    real: Path
    simulated: Path
    micrographs: int | None
    seed: int
    style: int

    def card(self, device: str, figures: Sequence[str] | None, sizes: dict[str, Any]) -> NoiseCard:
        """Translate, measure and compare.

        Args:
            device: where the model is.
            figures: their names; None for those of the run's own noise report.
            sizes: settings of the noise report in place of the run's.
        """
        model = load_translator(self.ckpt).to(device)
        picking = [figure for figure in figures or () if figure in {f.name for f in PICKING}]
        noise = [figure for figure in figures or () if figure not in picking]
        metrics: dict[str, Metric] = {}
        known: dict[str, Figure] = {}
        protocol: dict[str, Any] = {}
        if noise or not picking:
            yardstick = self._noise(sizes | ({"figures": tuple(noise)} if noise else {}))
            metrics |= self._compared(yardstick, model)
            known |= yardstick.card.figures
            protocol |= yardstick.protocol.as_dict()
        if picking:
            judge = self._picking()
            with judge.folder() as folder:
                judge.translate(model, folder, self.seed, self.style)
                found = judge.figures(folder, self.seed)
            metrics |= {name: found[name] for name in picking}
            known |= {figure.name: figure for figure in PICKING}
            protocol |= judge.task.protocol.as_dict()
        inputs = {
            "real": str(self.real),
            "real_split": self._split or "all",
            "simulated": str(self.simulated),
            "micrographs": self._count,
            "checkpoint_sha256": sha256_file(self.ckpt),
            "seed": self.seed,
            "style": self.style,
        }
        title = f"{self.ckpt} on {self.simulated} against {self.real}"
        return NoiseCard(title, known, metrics, {}, {}, {}, protocol, inputs)

    @property
    def _split(self) -> str | None:
        return "test" if open_folder(self.real).has_split else None

    @property
    def _count(self) -> int:
        sides = open_folder(self.real).names(self._split), Dataset(self.simulated).names
        return min(len(names[: self.micrographs]) for names in sides)

    def _noise(self, given: dict[str, Any]) -> Yardstick:
        report = NoiseReport(**(self._settings("noise_report") | given))
        diameter, limit = diameter_A(open_folder(self.real)), self.micrographs
        return Yardstick(
            read_fields(self.real, self._split, limit, diameter_A=diameter),
            read_fields(self.simulated, None, limit, diameter_A=diameter),
            read_fields(self.real, "train", diameter_A=diameter) if self._split else None,
            report.figures,
            report.protocol,
        )

    def _compared(self, yardstick: Yardstick, model: Translator) -> dict[str, Metric]:
        with progress_bar() as progress:
            fields = progress.track(
                yardstick.translated(model, None, self.seed, self.style),
                total=len(yardstick.simulated),
                description="test",
            )
            return yardstick.compare(yardstick.card.describe(fields, "generated"))

    def _picking(self) -> PickingYardstick:
        report = PickingReport(**self._settings("picking_report"))
        folder = open_folder(self.real)
        diameter = folder.optics().particle_diameter_A
        names = folder.names(self._split)[: self.micrographs]
        task = PickingTask(folder, tuple(names), PickingProtocol(diameter))
        simulated = Dataset(self.simulated)
        made = tuple(simulated.names[: self.micrographs])
        return PickingYardstick(simulated, made, task, report.picker)

    def _settings(self, report: str) -> dict[str, Any]:
        """Those of a report of the run that the checkpoint is of."""
        settings = read_yaml(self.ckpt.parent / "config.yaml").get(report) or {}
        if isinstance(settings.get("picker"), dict):
            settings = {**settings, "picker": changed(PickerConfig(), settings["picker"])}
        return dict(settings)


def check_style(style: int, micrographs: int | None) -> None:
    """Refuse numbers that no set has.

    Raises:
        CryoccdError: it names them.
    """
    if style < 0:
        raise CryoccdError(f"style = {style}, expected 0 or more")
    if micrographs is not None and micrographs < 1:
        raise CryoccdError(f"micrographs = {micrographs}, expected 1 or more")
