"""A folder of generated boxes judged on its own: `cryoccd evaluate volume`."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.downstream.volumes.sets import sampled_boxes
from cryoccd.errors import UnfitError
from cryoccd.io.dataset import BoxFolder
from cryoccd.launch.volume_settings import VolumeSettings
from cryoccd.launch.volume_task import VolumeTask
from cryoccd.metrics.volume.columns import VOLUMES
from cryoccd.metrics.volume.pose_error import FIGURES as POSE_ERRORS
from cryoccd.report.anchors import PHASE_NOISE, REAL_HALF
from cryoccd.report.volume_card import VolumeCard
from cryoccd.report.volume_figure import write_volume_figure


def make_volume_card(
    generated: BoxFolder,
    data: SubtomogramDataModule,
    settings: VolumeSettings,
    classifier: Path,
    picture: Path,
    inputs: dict[str, Any],
    console: Console,
    seed: int = 0,
    device: str = "cpu",
) -> VolumeCard:
    """Judge boxes, beside half of the real ones and noise, and draw them.

    Args:
        generated: what is judged.
        data: opened; its held-out part is what is compared with.
        settings: how; the number of samples is that of the class that has fewest.
        classifier: file that the classifier is written to.
        picture: PNG file to be written.
        inputs: for the record.
        console: where the user is told what is done.
        seed: of classifier and choices.
        device: where to compute.

    Raises:
        CryoccdError: sets that cannot be compared.
    """
    boxes, poses = sampled_boxes(generated, data)
    fewest = min(Counter(boxes.labels.tolist()).values())
    task = VolumeTask(data, replace(settings, samples=max(fewest, 2)), classifier, seed, device)
    task.train()
    write_volume_figure(picture, task.real[0], boxes, seed, generated.root.name)
    remarks = [
        "[a, b] is the 95 % interval over tomograms and samples; a to b, with few tomograms, the "
        "range of the estimates that leave one out.",
        f"{PHASE_NOISE}: noise with the spectrum of each held-out box.",
    ]
    with console.status("generated boxes"):
        sets = {"generated": task.figures(boxes, poses)}
    with console.status("real boxes and noise"):
        try:
            sets[REAL_HALF] = task.floor()
            remarks.append(f"{REAL_HALF}: half of the held-out tomograms beside the other half.")
        except UnfitError as error:
            remarks.append(f"{REAL_HALF} is left out: {error}.")
        sets[PHASE_NOISE] = task.ceiling()
    title = f"Boxes of {generated.root.name} beside {task.data.opened.source.root.name}"
    return VolumeCard(title, (*VOLUMES, *POSE_ERRORS), sets, remarks, task.protocol(), inputs)
