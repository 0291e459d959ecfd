"""One data set of a table of poses: an estimator of every row's labels, judged on known poses."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import default_box_px
from cryoccd.io.export.options import ExportOptions
from cryoccd.launch.column import Column, Outcome, Row
from cryoccd.launch.pose_card import Estimators, read_task
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.pose.columns import map_metrics, pose_metrics
from cryoccd.metrics.pose.poses import Poses, random_rotations
from cryoccd.report.anchors import POSE, RANDOM_POSES, REAL_TRAIN, TRUE_POSES, Anchors


@dataclass(frozen=True)
class PoseColumn(Column):
    """One data set: estimators trained on translated simulations pose its test split."""

    picture: ClassVar[str] = "poses"

    @property
    def anchors(self) -> Anchors:
        """True poses, an estimator trained on real ones, and random poses."""
        return POSE

    def prepare(self) -> None:
        """Make the folders that are absent."""
        self.fits.prepare(self.spec)
        count = self.matrix.pose.labelled
        for side in self.matrix.sides:
            places = self.fits.runs.data(self.spec.name, side)
            recipe = self.spec.recipe_of(side)
            recipe.prepare_labelled(places.simulated_for("pose"), places.real, count)
        for split in ("train", "test"):
            self.spec.recipe_of("").prepare_posed(self.places.real, self.places.posed(split), split)

    @property
    def data_hash(self) -> str:
        """Hash of the real side, and of what methods and estimators are fitted on."""
        return self.places.hash_for("pose")

    @cached_property
    def estimators(self) -> Estimators:
        """Makes the estimators of this data set."""
        settings = self.matrix.pose
        symmetry = settings.symmetry.get(self.spec.name, "C1")
        box_A = settings.box_A
        if box_A is None:
            simulated = Dataset(self.places.simulated_for("pose"))
            box_A = default_box_px(simulated, ExportOptions()) * simulated.pixel_size_A
        config, structure = settings.estimator, self.spec.recipe_of("").structure
        task = read_task(self.places.posed("test"), config, box_A, symmetry, structure)
        work = self.fits.runs.root / "pose" / self.spec.name
        return Estimators(task, config, work, self.fits.device)

    def protocol(self) -> dict[str, Any]:
        """The images, and how estimators are trained."""
        task = self.estimators.task
        settings = asdict(replace(self.estimators.config, symmetry=task.symmetry))
        boxes = settings.pop("boxes")
        known = {k: str(v) for k, v in {**settings, **boxes}.items() if v is not None}
        return {
            "particles": len(task.particles),
            "pixel_size_A": round(task.particles.pixel_size_A, 4),
            "labelled": self.matrix.pose.labelled,
            "estimator": known,
        }

    def decisive(self, row: Row, seed: int) -> dict[str, Any]:
        """The translations and the seed of the estimator."""
        model = row.trained_on and self.fits.hash(row.method, row.trained_on, self._fit_seed)
        variant, side = self.matrix.variant(row.method), self.matrix.side_of(row.method)
        return {
            "seed": seed,
            "model": model,
            "set": variant.settings,
            "side": self.fits.runs.data(self.spec.name, side).hash_for("pose") if side else None,
        }

    def evaluate(self, row: Row, seed: int) -> Outcome:
        """Train an estimator on the row's labels, or take an anchor, and judge its poses."""
        task = self.estimators.task
        chosen: dict[str, Any] = {}
        known = task.particles.poses
        if row.method == TRUE_POSES:
            poses = known
        elif row.method == RANDOM_POSES:
            poses = Poses(random_rotations(len(known), seed), known.shifts_A)
        elif row.method == REAL_TRAIN:
            poses = self.estimators.trained(REAL_TRAIN, self.places.posed("train"), seed)
        else:
            folder, chosen = self._translated(row)
            poses = self.estimators.trained(row.method, folder, seed)
        with self.console.status(f"judge · {row.method} · {self.spec.name}"):
            count = len(set(task.particles.micrographs))
            metrics = pose_metrics(task.errors(poses), count)
            if (found := task.resolution(poses)) is not None:
                metrics |= map_metrics(found, count)
        return Outcome(metrics, chosen)

    def draw(self, path: Path, rows: Sequence[Row], seeds: Sequence[int]) -> bool:
        """Nothing: figures tell all."""
        return False

    @property
    def _fit_seed(self) -> int:
        return self.matrix.pose.translator_seed

    def _translated(self, row: Row) -> tuple[Path, dict[str, Any]]:
        """The labelled set as the row's method translates it, and what the method chose."""
        assert row.trained_on is not None  # a method has what it is fitted on
        name = self.matrix.translation_of(row.method)
        known = (name, row.trained_on)
        folder = self.fits.translate(*known, self.spec.name, self._fit_seed, "pose")
        settings = self.matrix.variant(row.method).settings
        checkpoint = self.fits.checkpoint(*known, self._fit_seed)
        return folder, dict(load_translator(checkpoint, settings).choices())
