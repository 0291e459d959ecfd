"""A picker trained on a model's translations, judged on real micrographs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cryoccd
from cryoccd.downstream.picking.base import pick_folder
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.seen import Labelled
from cryoccd.downstream.picking.train import fit_picker
from cryoccd.io.dataset import Dataset, DatasetWriter
from cryoccd.io.folder import open_folder
from cryoccd.methods.base import Translator
from cryoccd.methods.translate import translate_micrograph
from cryoccd.metrics.card import Metric
from cryoccd.metrics.picking.task import PickingTask


@dataclass(frozen=True)
class PickingYardstick:
    """What `auprc` is measured with in training and by `cryoccd test`.

    Args:
        simulated: what is translated.
        names: its micrographs that are.
        task: real micrographs with their particles.
        config: how the picker is trained.
    """

    simulated: Dataset
    names: tuple[str, ...]
    task: PickingTask
    config: PickerConfig

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A place for the labelled set, removed afterwards."""
        with TemporaryDirectory(prefix="cryoccd-picking-") as root:
            yield Path(root) / "labelled"

    def translate(self, model: Translator, folder: Path, seed: int, style: int = 0) -> None:
        """Write the labelled set as `cryoccd translate` makes it, where the model is.

        Raises:
            CryoccdError: the method gave NaN.
        """
        made_by = {"verb": "report", "version": cryoccd.__version__, "seed": seed, "style": style}
        writer, device = DatasetWriter(folder, made_by), str(model.device)
        for name in self.names:
            item = translate_micrograph(model, self.simulated, name, seed, style, device)
            writer.write(item)
        writer.finish(list(self.names))

    def figures(self, folder: Path, seed: int) -> dict[str, Metric]:
        """Train on the labelled set and judge.

        Raises:
            CryoccdError: micrographs that no picker can be trained on.
        """
        training, task = Labelled(open_folder(folder), self.names), self.task
        diameter_A = task.protocol.particle_diameter_A
        path = folder.with_name("picker.safetensors")
        picker = fit_picker(
            self.config, training, path, seed, particle_diameter_A=diameter_A, accelerator="cpu"
        )
        return task.figures(pick_folder(picker, task.folder, task.names))
