"""Training of a detector, and its file: weights and settings without a pickle.

A run is a minute or two, so it is repeated and not resumed: the same seed, settings and tomograms
give the same weights on the same processor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from cryoccd.downstream.detection.config import DetectorConfig
from cryoccd.downstream.detection.detector import Detector
from cryoccd.downstream.detection.examples import DetectionCrops
from cryoccd.downstream.detection.labelled import LabelledTomogram
from cryoccd.downstream.detection.thresholds import best_thresholds
from cryoccd.downstream.network_file import load_network, save_network
from cryoccd.downstream.small_training import TrainingBar, small_trainer
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable
from cryoccd.metrics.card import check_pixel_sizes


def fit_detector(
    config: DetectorConfig,
    training: Sequence[LabelledTomogram],
    choosing: LabelledTomogram,
    radii_A: Mapping[str, float],
    output: Path,
    seed: int = 0,
    beta: float = 4.0,
    accelerator: str = "auto",
) -> Detector:
    """Train a detector, choose its thresholds, and write it to a file.

    Args:
        config: how.
        training: tomograms with particles of every class.
        choosing: another tomogram with particles of every class, on which thresholds are chosen.
        radii_A: of each class, in the order of the labels.
        output: safetensors file; it is replaced.
        seed: of the starting weights, the crops and the turns.
        beta: how much recall counts when thresholds are chosen.
        accelerator: where to compute, cpu, gpu or auto.

    Raises:
        CryoccdError: a class without particles, several voxel sizes, or a loss that is not finite.
    """
    check_writable(output)
    sizes_A = {each.name: each.tomogram.voxel_size_A for each in (*training, choosing)}
    check_pixel_sizes(sizes_A)
    taught = set(np.concatenate([each.labels for each in training]).tolist())
    for label, name in enumerate(radii_A):
        if label not in taught:
            raise CryoccdError(f"detector: no {name} to train on; leave the class out")
        if label not in choosing.labels:
            raise CryoccdError(
                f"{choosing.name}: no {name}, so no threshold can be chosen; leave the class out"
            )
    detector = Detector(config, training[0].tomogram.voxel_size_A, radii_A, seed)
    trainer = small_trainer(
        accelerator, TrainingBar("training the detector"), gradient_clip_val=1.0
    )
    crops = DetectionCrops(training, detector.sigmas_px, config, seed)
    trainer.fit(detector, DataLoader(crops, batch_size=config.batch_size))
    detector = detector.eval()
    found = detector.candidates(choosing.tomogram)
    particles_A = choosing.particles_A(detector.classes)
    detector.thresholds = best_thresholds(found, particles_A, radii_A, beta)
    detector = detector.cpu()
    note = {
        "config": asdict(config),
        "voxel_size_A": detector.voxel_size_A,
        "radii_A": detector.radii_A,
        "thresholds": detector.thresholds,
        "thresholds_of": choosing.name,
        "beta": beta,
        "seed": seed,
        "tomograms": [each.name for each in training],
        "particles": int(sum(len(each.labels) for each in training)),
    }
    save_network(output, detector, "detector", note)
    return detector


def load_detector(path: Path) -> Detector:
    """A detector from its file.

    Raises:
        CryoccdError: there is no such file, or it is none of `fit_detector`.
    """
    return load_network(path, "detector", "detector", _built)


def _built(note: dict[str, Any]) -> Detector:
    return Detector(
        DetectorConfig(**note["config"]),
        float(note["voxel_size_A"]),
        note["radii_A"],
        thresholds=note["thresholds"],
    )
