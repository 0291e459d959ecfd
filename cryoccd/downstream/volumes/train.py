"""Training of a classifier of boxes, and its file: weights and settings without a pickle.

A run is about a minute, so it is repeated and not resumed: the same seed, settings and boxes give
the same weights on the same processor.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from cryoccd.downstream.network_file import load_network, save_network
from cryoccd.downstream.small_training import TrainingBar, small_trainer
from cryoccd.downstream.volumes.classifier import VolumeClassifier
from cryoccd.downstream.volumes.config import VolumeClassifierConfig
from cryoccd.downstream.volumes.examples import VolumeExamples
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable
from cryoccd.metrics.volume import BoxSet
from cryoccd.metrics.volume.class_accuracy import class_accuracy

_SMALLEST = 16


def fit_classifier(
    config: VolumeClassifierConfig,
    training: BoxSet,
    output: Path,
    seed: int = 0,
    validation: BoxSet | None = None,
    accelerator: str = "auto",
) -> VolumeClassifier:
    """Train a classifier and write it to a file.

    Args:
        config: how.
        training: real boxes of every class, of 16 voxels a side or more.
        output: safetensors file; it is replaced.
        seed: of the starting weights, the order and the turns.
        validation: boxes of other tomograms, on which its accuracy is noted in the file.
        accelerator: where to compute, cpu, cuda or auto.

    Raises:
        CryoccdError: a class without boxes, too small boxes, or a loss that is not finite.
    """
    check_writable(output)
    absent = sorted(set(range(len(training.classes))) - set(training.occurring))
    if absent:
        raise CryoccdError(
            f"classifier: no box of {training.classes[absent[0]]} to train on; leave the class out"
        )
    if training.box_px < _SMALLEST:
        raise CryoccdError(
            f"classifier: boxes of {training.box_px} voxels, expected {_SMALLEST} or more"
        )
    classifier = VolumeClassifier(
        config, training.box_px, training.voxel_size_A, training.classes, seed
    )
    trainer = small_trainer(
        accelerator,
        TrainingBar("training the classifier"),
        gradient_clip_val=1.0,
    )
    loader = DataLoader(VolumeExamples(training, config, seed), batch_size=config.batch_size)
    trainer.fit(classifier, loader)
    classifier = classifier.cpu().eval()
    note: dict[str, Any] = {
        "config": asdict(config),
        "box_px": training.box_px,
        "voxel_size_A": training.voxel_size_A,
        "classes": training.classes,
        "seed": seed,
        "boxes": len(training),
        "groups": sorted(set(training.groups.tolist())),
    }
    if validation is not None:
        found = class_accuracy(validation, classifier.read(validation))
        note["validation_class_accuracy"] = found.value
    save_network(output, classifier, "volume_classifier", note)
    return classifier


def load_classifier(path: Path) -> VolumeClassifier:
    """A classifier from its file.

    Raises:
        CryoccdError: there is no such file, or it is none of `fit_classifier`.
    """
    return load_network(path, "volume_classifier", "classifier of boxes", _built)


def _built(note: dict[str, Any]) -> VolumeClassifier:
    return VolumeClassifier(
        VolumeClassifierConfig(**note["config"]),
        int(note["box_px"]),
        float(note["voxel_size_A"]),
        tuple(note["classes"]),
    )
