"""Training of a pose estimator, and its file: weights and settings without a pickle.

A run is minutes, so it is repeated and not resumed: the same seed, settings and particles give the
same weights on the same processor.
"""

from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from cryoccd.downstream.network_file import load_network, save_network
from cryoccd.downstream.pose.boxes import BoxOptions, read_particles
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.downstream.pose.estimator import PoseEstimator
from cryoccd.downstream.pose.examples import PoseExamples
from cryoccd.downstream.pose.images import ParticleImages
from cryoccd.downstream.small_training import small_trainer
from cryoccd.io.atomic import check_writable
from cryoccd.io.progress import progress_bar
from cryoccd.metrics.pose.errors import geodesic_deg

_POINTS = 10  # of the learning curve


def fit_pose(
    config: PoseConfig,
    training: ParticleImages | Path,
    seed: int,
    output: Path,
    validation: ParticleImages | None = None,
    accelerator: str = "auto",
) -> PoseEstimator:
    """Train an estimator and write it to a file.

    Args:
        config: how.
        training: particles, or the dataset folder that they are read from.
        seed: of the starting weights, the order, the motions and the noise.
        output: safetensors file; it is replaced.
        validation: particles whose median error against minutes and images is noted in the file;
            no choice depends on it.
        accelerator: where to compute, cpu, cuda or auto.

    Raises:
        CryoccdError: faulty particles or settings, or a loss that is not finite.
    """
    check_writable(output)
    if isinstance(training, Path):
        training = read_particles(training, config.boxes)
    box_A = training.box_px * training.pixel_size_A
    boxes = replace(
        config.boxes, box_px=training.box_px, box_A=box_A, phase_flip=training.phase_flipped
    )
    config = replace(config, boxes=boxes)
    estimator = PoseEstimator(config, training.pixel_size_A, seed)
    curve = _Curve(validation)
    trainer = small_trainer(
        accelerator,
        curve,
        gradient_clip_val=1.0,
    )
    loader = DataLoader(PoseExamples(training, config, seed), batch_size=config.batch_size)
    trainer.fit(estimator, loader)
    estimator = estimator.cpu().eval()
    note = {
        "config": asdict(estimator.config),
        "pixel_size_A": estimator.pixel_size_A,
        "seed": seed,
        "particles": len(training),
        "curve": curve.points,
    }
    save_network(output, estimator, "pose", note)
    return estimator


def load_pose(path: Path) -> PoseEstimator:
    """An estimator from its file.

    Raises:
        CryoccdError: there is no such file, or it is none of `fit_pose`.
    """
    return load_network(path, "pose", "pose estimator", _built)


def _built(note: dict[str, Any]) -> PoseEstimator:
    settings = dict(note["config"])
    boxes = settings.pop("boxes")
    species = None if boxes["species"] is None else tuple(boxes["species"])
    config = PoseConfig(**settings, boxes=BoxOptions(**{**boxes, "species": species}))
    return PoseEstimator(config, float(note["pixel_size_A"]))


class _Curve(Callback):
    """The progress bar, and the learning curve: minutes of training and images to the error.

    On a shared machine the minutes of the clock say little: those of the processor stand beside
    them. Neither counts the validation.
    """

    def __init__(self, validation: ParticleImages | None) -> None:
        self.points: list[dict[str, float]] = []
        self._validation, self._bar, self._spent = validation, progress_bar(), [0.0, 0.0]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._bar.start()
        self._task = self._bar.add_task("training poses", total=trainer.num_training_batches)
        self._since = _now()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._bar.advance(self._task)
        steps, done = int(trainer.num_training_batches), batch_idx + 1
        if self._validation is None or done * _POINTS // steps == (done - 1) * _POINTS // steps:
            return
        self._spent = [a + b - c for a, b, c in zip(self._spent, _now(), self._since, strict=True)]
        found = pl_module.estimate(self._validation).rotations
        truth = self._validation.poses.rotations
        errors_deg = geodesic_deg(truth, found, pl_module.operators.cpu())
        point = {
            "images": done * len(batch[0]),
            "minutes": self._spent[0],
            "cpu_minutes": self._spent[1],
            "median_deg": float(errors_deg.median()),
        }
        self.points.append(point)
        self._since = _now()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._bar.stop()

    def on_exception(self, *args: Any, **kwargs: Any) -> None:
        self._bar.stop()


def _now() -> tuple[float, float]:
    """Minutes of the clock and of this process's threads."""
    return perf_counter() / 60, process_time() / 60
