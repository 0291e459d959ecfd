"""A dataset folder of boxes of each class from a fitted generator."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import BoxItem, DatasetWriter
from cryoccd.io.progress import progress_bar
from cryoccd.methods.generation.drawn import Wanted, drawn
from cryoccd.methods.generation.file_names import check_file_name
from cryoccd.methods.generation.places import (
    DensityPlaces,
    Places,
    TrainingPlaces,
    UniformPlaces,
)
from cryoccd.methods.generation.provenance import made_by
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.randomness import item_seed

Positions = Literal["data", "uniform"]


def chosen_labels(model: VolumeGenerator, names: Sequence[str] | None = None) -> list[int]:
    """Labels of some classes of a model; None takes all.

    Raises:
        CryoccdError: the model is not fitted or does not know a class, or one cannot name a file.
    """
    model.require_calibration()
    known = model.classes
    chosen = known if names is None else names
    strange = [name for name in chosen if name not in known]
    if strange or not chosen:
        named = strange[0] if strange else "none"
        raise CryoccdError(f"classes: {named}, expected some of {', '.join(known)}")
    for name in chosen:
        check_file_name("class", name)
    return [known.index(name) for name in chosen]


def sample_boxes(
    model: VolumeGenerator,
    checkpoint: Path,
    output: Path,
    labels: Sequence[int],
    count: int,
    positions: Positions = "data",
    density: Path | None = None,
    seed: int = 0,
    batch_size: int = 8,
    device: str = "cpu",
    resume: bool = False,
    title: str = "sample",
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write `count` boxes of each class, with their labels.

    Box k of a class hangs on the seed, the class and k. A batch is always of the same boxes, so
    that a run which was interrupted gives the same bytes in the end.

    Args:
        model: fitted.
        checkpoint: that it was loaded from.
        output: the folder.
        labels: classes to draw.
        count: boxes of each.
        positions: as the training boxes of the class, or uniform in the tomogram.
        density: tomograms whose particles give positions, poses and densities instead.
        seed: of all randomness.
        batch_size: boxes at once.
        device: where to compute.
        resume: keep finished boxes of an interrupted run.
        title: what stands before the progress bar.
        settings: with which the model was loaded in place of the fit's, for the manifest.

    Raises:
        CryoccdError: a number below 1, conditions that do not fit the model, `output` is in the
            way, or the model fails.
    """
    for name, value in (("count", count), ("batch_size", batch_size)):
        if value < 1:
            raise CryoccdError(f"{name} = {value}, expected 1 or more")
    if positions not in ("data", "uniform"):
        raise CryoccdError(f"positions = {positions!r}, expected data or uniform")
    places: Places
    choices: dict[str, Any] = {"positions": positions}
    if density is not None:
        places = DensityPlaces(density, model, labels, seed)
        choices = {"density": places.told()}
    elif positions == "data":
        places = TrainingPlaces(model, labels, seed)
    else:
        places = UniformPlaces(seed)
    drawn_of = [model.classes[label] for label in labels]
    choices |= {"count": count, "sampled": drawn_of, "seed": seed}
    origin = made_by("sample", model, checkpoint, settings, **choices)
    writer = DatasetWriter(output, origin, resume=resume)
    if writer.finished:
        return
    model = model.to(device)
    names: list[str] = []
    with progress_bar() as progress, torch.inference_mode():
        bar = progress.add_task(title, total=count * len(labels))
        for label, first in ((n, k) for n in labels for k in range(0, count, batch_size)):
            class_name, numbers = model.classes[label], range(first, min(first + batch_size, count))
            batch = {number: f"{class_name}_{number:05d}" for number in numbers}
            names += batch.values()
            missing = {name for name in batch.values() if not writer.has(name)}
            progress.advance(bar, len(batch) - len(missing))
            if not missing:
                continue
            wanted = [
                Wanted(
                    name=name,
                    label=label,
                    seed=item_seed(seed, "sample", class_name, number),
                    place=places.place(label, number),
                )
                for number, name in batch.items()
            ]
            for each, volume in zip(wanted, drawn(model, wanted, device), strict=True):
                if each.name in missing:
                    writer.write(_item(model, each, volume))
                    progress.advance(bar)
    writer.finish(names)


def _item(model: VolumeGenerator, wanted: Wanted, volume: NDArray[np.float32]) -> BoxItem:
    place = wanted.place
    return BoxItem(
        name=wanted.name,
        label=model.classes[wanted.label],
        seed=wanted.seed,
        volume=volume,
        voxel_size_A=float(model.voxel_size_A),
        position=place.position,
        angles_deg=place.angles_deg,
        offset_px=place.offset_px,
        tomogram=place.tomogram,
        density=None if place.density is None else place.density[0].numpy(),
    )
