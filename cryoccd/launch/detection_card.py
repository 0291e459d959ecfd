"""Do composed tomograms make a better detector? Three training sets, one set to judge on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from cryoccd.downstream.detection import LabelledTomogram
from cryoccd.io.checked import read_json
from cryoccd.io.tomograms import TomogramSource
from cryoccd.launch.detection_task import Detections, DetectionTask
from cryoccd.launch.detectors import Detectors
from cryoccd.metrics.card import Metric
from cryoccd.report.detection_card import DetectionCard

REAL, BOTH, GENERATED, RANDOM = "real", "real_and_generated", "generated", "random"


def training_sets(
    task: DetectionTask, generated: Sequence[LabelledTomogram]
) -> dict[str, tuple[LabelledTomogram, ...]]:
    """What the detector of each row is trained on; every one with the same number of crops."""
    return {
        REAL: task.training,
        BOTH: (*task.training, *generated),
        GENERATED: tuple(generated),
    }


def make_detection_card(
    detectors: Detectors,
    generated: TomogramSource,
    seeds: Sequence[int],
    inputs: Mapping[str, Any],
    console: Console,
) -> DetectionCard:
    """Train, detect and judge.

    Args:
        detectors: the task, and how detectors are made.
        generated: composed tomograms.
        seeds: of the detectors.
        inputs: for the record.
        console: where the user is told what is done.

    Raises:
        CryoccdError: composed tomograms of other classes or voxels, or a training that fails.
    """
    task = detectors.task
    sets = training_sets(task, task.labelled(generated))
    rows: dict[str, list[dict[str, Metric]]] = {}
    real: dict[int, Detections] = {}
    for name, training in sets.items():
        rows[name] = []
        for seed in seeds:
            console.rule(f"detector · {name} · seed {seed}")
            found = detectors.trained(name, training, seed)
            real.setdefault(seed, found)  # the first row is that of the real ones
            rows[name].append(task.figures(found, real[seed] if name != REAL else None))
    rows[RANDOM] = [task.figures(task.random(seeds[0]))]
    protocol = {
        "held_out": [each.name for each in task.held],
        "thresholds_of": task.choosing.name,
        "trained_on": {name: [each.name for each in own] for name, own in sets.items()},
        "radii_A": {name: round(radius_A, 1) for name, radius_A in task.radii_A.items()},
        "voxel_size_A": round(task.voxel_size_A, 4),
        "beta": task.beta,
        "detector": asdict(detectors.config),
    }
    title = f"Detectors with and without {inputs['generated']}, judged on {inputs['data']}"
    return DetectionCard(title, rows, seeds, protocol, inputs, _warnings(task, generated))


def _warnings(task: DetectionTask, generated: TomogramSource) -> tuple[str, ...]:
    """Whether the composed set was measured on tomograms of the names of those judged on."""
    manifest = generated.root / "manifest.json"
    made_by = (read_json(manifest).get("made_by") or {}) if manifest.is_file() else {}
    measured = made_by.get("tomograms") or {}
    seen = [each.name for each in (*task.held, task.choosing) if each.name in measured]
    if not seen:
        return ()
    return (
        f"Composed from {', '.join(seen)} among others: if these are the tomograms of that name "
        "here, the rows with generated ones have seen what they are judged on.",
    )
