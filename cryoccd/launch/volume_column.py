"""One data set of a table of volumes: boxes that each row's model draws beside held-out ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from cryoccd.data.subtomograms import SubtomogramDataModule, TomogramRecipe
from cryoccd.downstream.volumes.sets import sampled_boxes
from cryoccd.errors import CryoccdError, UnfitError
from cryoccd.io.dataset import BoxFolder
from cryoccd.launch.column import Column, Outcome, Row
from cryoccd.launch.volume_data import open_data
from cryoccd.launch.volume_models import VolumeModels
from cryoccd.launch.volume_task import VolumeTask
from cryoccd.methods.checkpoint import load_generator
from cryoccd.report.anchors import PHASE_NOISE, REAL_HALF, VOLUME, Anchors
from cryoccd.report.provenance import hash_config, hash_folder
from cryoccd.report.volume_figure import write_volume_figure


@dataclass(frozen=True)
class VolumeColumn(Column):
    """One set of tomograms: those held out are what generated boxes are compared with."""

    picture: ClassVar[str] = "boxes"

    @property
    def anchors(self) -> Anchors:
        """Half of the held-out boxes beside the other, and noise of their spectrum."""
        return VOLUME

    @property
    def recipe(self) -> TomogramRecipe:
        """What makes the tomograms.

        Raises:
            CryoccdError: it makes none.
        """
        recipe = self.spec.recipe
        if not isinstance(recipe, TomogramRecipe):
            raise CryoccdError(
                f"datasets: {self.spec.name}: {type(recipe).__name__} makes no tomograms, expected "
                "a recipe that does, such as SimulatedTomograms"
            )
        return recipe

    @property
    def tomograms(self) -> Path:
        """Folder of the tomograms."""
        return self.recipe.root or self.places.root / "tomograms"

    def check(self) -> None:
        """See that the recipe makes tomograms."""
        self.recipe.check()

    def prepare(self) -> None:
        """Make the tomograms that are absent."""
        self.recipe.prepare(self.tomograms)
        self.recipe.prepare_placing(self._placing)

    @property
    def data_hash(self) -> str:
        """Hash of the tomograms, and of those that models are told of."""
        return self.models.data_hash

    @cached_property
    def models(self) -> VolumeModels:
        """Fits and samples."""
        placing = self._placing if self._placing.is_dir() else None
        folders = [self.tomograms, *([placing] if placing else [])]
        data_hash = hash_config([hash_folder(each) for each in folders])
        return VolumeModels(self.fits, self.spec.name, self.tomograms, data_hash, placing)

    @cached_property
    def task(self) -> VolumeTask:
        """What boxes are judged by."""
        settings, work = self.matrix.volume, self.fits.runs.root / "volume" / self.spec.name
        data = self._opened({})
        return VolumeTask(data, settings, work / "classifier.safetensors", 0, self.fits.device)

    def protocol(self) -> dict[str, Any]:
        """That of the task."""
        return self.task.protocol()

    def decisive(self, row: Row, seed: int) -> dict[str, Any]:
        """The model, the seed, and how it samples."""
        model = row.trained_on and self.models.hash(row.method, seed)
        return {"seed": seed, "model": model, "set": self.matrix.variant(row.method).settings}

    def evaluate(self, row: Row, seed: int) -> Outcome:
        """Fit, sample and judge, or take an anchor."""
        name, task = row.method, self.task
        task.train()
        if name in (REAL_HALF, PHASE_NOISE):
            with self.console.status(f"evaluate · {name} · {self.spec.name}"):
                return Outcome(task.floor() if name == REAL_HALF else task.ceiling(), {})
        data = self.matrix.variant(name).data
        told = bool({**self.matrix.data, **data}.get("density"))
        if told and self.models.placing is None:
            raise UnfitError("density needs tomograms with known poses that no model saw")
        settings = self.matrix.volume
        amount = (settings.samples, settings.batch_size)
        folder = self.models.samples(name, seed, *amount, told)
        checkpoint = self.models.checkpoint(name, seed)
        model = load_generator(checkpoint, self.matrix.variant(name).settings)
        chosen = {"evaluations_a_sample": model.evaluations}
        with self.console.status(f"evaluate · {name} · {self.spec.name}"):
            boxes, poses = sampled_boxes(BoxFolder(folder), task.data)
            found = task.figures(boxes, poses)
            found |= task.levels(model.to(self.fits.device), self._opened(data) if told else None)
        return Outcome(found, chosen)

    def draw(self, path: Path, rows: Sequence[Row], seeds: Sequence[int]) -> bool:
        """One box of every class of the last method beside a held-out one."""
        for row in reversed(rows):
            folder = self.fits.runs.generated(row.method, *2 * (self.spec.name,), seeds[0])
            if row.trained_on and (folder / "manifest.json").is_file():
                boxes = sampled_boxes(BoxFolder(folder), self.task.data)[0]
                write_volume_figure(path, self.task.real[0], boxes, name=row.method)
                return True
        return False

    @property
    def _placing(self) -> Path:
        return self.places.root / "placing"

    def _opened(self, changes: dict[str, Any]) -> SubtomogramDataModule:
        given = {"root": str(self.tomograms), "seed": 0, **self.matrix.data, **changes}
        name = f"{SubtomogramDataModule.__module__}.{SubtomogramDataModule.__name__}"
        path = Path(f"experiments/{self.matrix.table}-{self.matrix.profile}.yaml")
        return open_data({"class_path": name, "init_args": given}, path)
