"""A dataset folder of composed tomograms: generated boxes in a generated background, with picks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cryoccd.data.subtomograms.table import ParticleTable, particle_table
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import DatasetWriter
from cryoccd.io.progress import progress_bar
from cryoccd.io.tomograms import TomogramSource
from cryoccd.io.tomograms.tomogram import same_size
from cryoccd.methods.generation.arrangement import Arrangement, BlendOptions
from cryoccd.methods.generation.composer import Composer
from cryoccd.methods.generation.extents import class_diameters_A
from cryoccd.methods.generation.placing import place_at_random
from cryoccd.methods.generation.posed import Posing
from cryoccd.methods.generation.provenance import identity, made_by
from cryoccd.methods.generation.surroundings import measure
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.randomness import item_seed


def compose_tomograms(
    model: VolumeGenerator,
    checkpoint: Path,
    source: TomogramSource,
    output: Path,
    labels: Sequence[int],
    arrangement: Arrangement,
    options: BlendOptions,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = False,
    title: str = "compose",
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write tomograms whose particles are generated, with their truth.

    Args:
        model: fitted.
        checkpoint: that it was loaded from.
        source: tomograms with picks that tell what background, scale and crowding are: those that
            the model was fitted to.
        output: the folder.
        labels: classes to place.
        arrangement: where.
        options: how.
        seed: of all randomness.
        device: where to compute.
        resume: keep finished tomograms of an interrupted run.
        title: what stands before the progress bar.
        settings: with which the model was loaded in place of the fit's, for the manifest.

    Raises:
        CryoccdError: tomograms that do not fit the model, picks of another class or outside, no
            room for the particles, `output` is in the way, or the model fails.
    """
    voxel_size_A = float(model.voxel_size_A)
    if not same_size(source.voxel_size_A, voxel_size_A):
        raise CryoccdError(
            f"{source.root}: voxels of {source.voxel_size_A:g} A, but the model's have "
            f"{voxel_size_A:g} A"
        )
    strange = sorted(set(source.particles["label"]) - set(model.classes))
    table = particle_table(source, (*model.classes, *strange))
    diameters_A = class_diameters_A(source, _occurring(table, labels), options.diameters_A)
    _check_fit(model, labels, table, diameters_A)
    diameters_px = {table.classes.index(k): d / voxel_size_A for k, d in diameters_A.items()}
    shape = arrangement.shape or source.tomograms[0].shape
    known = arrangement.read(model.classes, labels, shape, voxel_size_A)
    names = list(known) or [f"composed_{number:05d}" for number in range(arrangement.count)]
    posing = Posing(source, table) if options.density else None
    choices = {
        **identity(source),
        **arrangement.told(),
        **asdict(options),
        "diameters_A": diameters_A,
        "shape": list(shape),
        "placed": [model.classes[label] for label in labels],
        "seed": seed,
    }
    origin = made_by("compose", model, checkpoint, settings, **choices)
    writer = DatasetWriter(output, origin, resume=resume)
    if writer.finished:
        return
    margin_px = options.margin_A / voxel_size_A
    radii_px = {label: diameter / 2 for label, diameter in diameters_px.items()}
    around = measure(
        source,
        table,
        {label: radius + margin_px for label, radius in radii_px.items()},
        int(model.box_voxels),
        f"{title}: background",
    )
    composer = Composer(
        model=model.to(device),
        surroundings=around,
        radii_px={label: radii_px[label] for label in labels},
        margin_px=margin_px,
        rim_px=options.rim_A / voxel_size_A,
        posing=posing,
        batch_size=options.batch_size,
        device=device,
    )
    with progress_bar() as progress, torch.inference_mode():
        for name in progress.track(names, description=title):
            if writer.has(name):
                continue
            placed = known.get(name)
            if placed is None:
                rng = np.random.default_rng(item_seed(seed, "places", name))
                counts = around.counts(labels, arrangement.particles, shape, rng)
                placed = place_at_random(counts, diameters_px, shape, around.slab, rng)
            writer.write(composer.compose(name, placed, shape, seed))
    if source.kind == "dataset":
        writer.copy_species(source.root)
    writer.finish(names)


def _occurring(table: ParticleTable, labels: Sequence[int]) -> list[str]:
    """Classes to be placed, and those that cover background."""
    present = {*labels, *table.label.tolist()}
    return [name for label, name in enumerate(table.classes) if label in present]


def _check_fit(
    model: VolumeGenerator,
    labels: Sequence[int],
    table: ParticleTable,
    diameters_A: Mapping[str, float],
) -> None:
    """Refuse classes of unknown scale, and particles that their box does not hold."""
    edge_A = int(model.box_voxels) * float(model.voxel_size_A)
    for label in labels:
        name = model.classes[label]
        if not (table.label == label).any():
            raise CryoccdError(
                f"{table.root}: no particle of {name}, so its strength beside the background is "
                "not known; leave it out of classes"
            )
        if diameters_A[name] > edge_A:
            raise CryoccdError(
                f"{name} is {diameters_A[name]:.0f} A wide, but the model's boxes {edge_A:.0f} A"
            )
