"""A simulated micrograph, or a whole dataset folder of them, through a fitted method."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import cryoccd
from cryoccd.data.ice_sources import ModelIce
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file
from cryoccd.io.dataset import WHOLE, Dataset, DatasetWriter, Item, Share
from cryoccd.io.progress import progress_bar
from cryoccd.methods.base import Translator
from cryoccd.randomness import item_seed
from cryoccd.records import Exposure


def translate_micrograph(
    model: Translator,
    dataset: Dataset,
    name: str,
    seed: int = 0,
    style: int = 0,
    device: str = "cpu",
) -> Item:
    """One micrograph of a dataset folder; its randomness hangs on the seed and its name alone.

    Args:
        model: on the device.
        dataset: simulated set.
        name: of its micrograph.
        seed: of the noise.
        style: index of the acquisition style.
        device: where the model is.

    Raises:
        CryoccdError: the method gave NaN.
    """
    row = dataset.micrographs[dataset.micrographs["micrograph"] == name].iloc[0]
    # names recur between sets: the seed that made the micrograph tells them apart
    number = item_seed(seed, "translate", int(row["seed"]), name)
    exposure = dataset.exposure(name)
    image = _translate(model, exposure, number, style, device)
    if not bool(torch.isfinite(image).all()):
        raise CryoccdError(f"{dataset.root}: {name}: the method gave NaN; fit it again")
    values = image.to("cpu", torch.float32).numpy()
    return Item(name, exposure, number, values, style=str(row["style"]))


def translate_dataset(
    model: Translator,
    checkpoint: Path,
    source: Path,
    output: Path,
    seed: int = 0,
    style: int = 0,
    resume: bool = False,
    device: str = "cpu",
    title: str = "translate",
    settings: Mapping[str, Any] | None = None,
    share: Share = WHOLE,
) -> None:
    """Write a dataset folder with the labels of `source` and images made by the method.

    Args:
        model: fitted.
        checkpoint: that it was loaded from.
        source: simulated set.
        output: the folder.
        seed: of the noise.
        style: index of the acquisition style.
        resume: keep finished micrographs of an interrupted run.
        device: where to compute.
        title: what stands before the progress bar.
        settings: with which it was loaded in place of the fit's, for the manifest.
        share: of the micrographs; the folder may hold those of others, and is finished by the last.

    Raises:
        CryoccdError: `source` is unfinished, or `output` is in the way.
    """
    dataset = Dataset(source)
    made_by = {
        "command": "translate",
        "version": cryoccd.__version__,
        "method": type(model).__name__,
        "checkpoint_sha256": sha256_file(checkpoint),
        "choices": model.choices(),
        "input_sha256": sha256_file(source / "manifest.json"),
        "seed": seed,
        "style": style,
    }
    if settings:
        made_by["set"] = dict(settings)
    writer = DatasetWriter(output, made_by, resume=resume or not share.whole)
    own = [name for index, name in enumerate(dataset.names) if share.takes(index)]
    if writer.finished or not own:
        return
    writer.copy_species(source)  # before the last item, after which another share may finish
    model = model.to(device)
    with progress_bar() as progress, torch.inference_mode():
        for name in progress.track(own, description=title):
            if writer.has(name):
                continue
            writer.write(translate_micrograph(model, dataset, name, seed, style, device))
    writer.finish(dataset.names, share)


def _translate(model: Translator, exposure: Exposure, seed: int, style: int, device: str) -> Tensor:
    """One (h, w) image."""
    generator = torch.Generator().manual_seed(seed)
    shape = (int(exposure.clean.shape[0]), int(exposure.clean.shape[1]))
    modelled = ModelIce()(exposure.ice_thickness_A, shape, np.random.default_rng(seed))
    image = model.translate(
        _batched(exposure.clean - 1, device),
        _batched(exposure.particle_mask.to(torch.float32), device),
        _batched(model.ice_input(modelled, generator), device),
        torch.tensor([style], device=device),
        generator,
    )
    return image[0, 0]


def _batched(field: Tensor, device: str) -> Tensor:
    return field[None, None].to(device)
