"""Detectors trained on labelled tomograms, and what they find in the held-out ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.downstream.detection import (
    Detector,
    DetectorConfig,
    LabelledTomogram,
    fit_detector,
    load_detector,
)
from cryoccd.io.atomic import sha256_file, write_text
from cryoccd.launch.detection_task import Detections, DetectionTask
from cryoccd.report.provenance import hash_config, hash_folder


@dataclass(frozen=True)
class Detectors:
    """Trains detectors and keeps them.

    Args:
        task: the real tomograms.
        config: how detectors are trained.
        work: folder of detectors.
        device: where they are trained: cpu or cuda.
    """

    task: DetectionTask
    config: DetectorConfig = field(default_factory=DetectorConfig)
    work: Path = Path("detectors")
    device: str = "cpu"

    def trained(self, name: str, training: Sequence[LabelledTomogram], seed: int) -> Detections:
        """What a detector finds in the held-out tomograms.

        A detector that was made of the same is read again.

        Args:
            name: of the row.
            training: tomograms to train on: `task.training`, `task.labelled(source)`, or both.
            seed: of the detector.

        Raises:
            CryoccdError: faulty tomograms or settings, or a loss that is not finite.
        """
        detector = self._detector(name, training, seed).to(self.device)
        return {held.name: detector.detect(held.tomogram) for held in self.task.held}

    def _detector(self, name: str, training: Sequence[LabelledTomogram], seed: int) -> Detector:
        folder = self.work / f"{name}__{seed}"
        path, stamp = folder / "detector.safetensors", folder / "made_from.txt"
        made_from = self._made_from(training, seed)
        if stamp.is_file() and stamp.read_text(encoding="utf8") == made_from:
            return load_detector(path)
        stamp.unlink(missing_ok=True)
        task = self.task
        detector = fit_detector(
            self.config,
            training,
            task.choosing,
            task.radii_A,
            path,
            seed,
            task.beta,
            accelerator="gpu" if self.device.startswith("cuda") else "cpu",
        )
        write_text(stamp, made_from)
        return detector

    def _made_from(self, training: Sequence[LabelledTomogram], seed: int) -> str:
        """All that decides the weights and the thresholds."""
        return hash_config(
            {
                "version": cryoccd.__version__,
                "settings": asdict(self.config),
                "seed": seed,
                "device": self.device,
                "radii_A": dict(self.task.radii_A),
                "beta": self.task.beta,
                "training": [_identity(each) for each in training],
                "choosing": _identity(self.task.choosing),
            }
        )


def _identity(each: LabelledTomogram) -> list[Any]:
    path = each.tomogram.path
    content = hash_folder(path) if path.is_dir() else sha256_file(path)
    return [each.name, content, each.labels.tolist(), each.xyz_px.round(4).tolist()]
