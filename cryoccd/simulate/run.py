"""A whole set of micrographs, written as a dataset folder."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.io.atomic import sha256_file
from cryoccd.io.dataset import WHOLE, DatasetWriter, Item, Share
from cryoccd.io.progress import progress_bar
from cryoccd.randomness import item_seed
from cryoccd.scene.crowding import SpeciesInScene
from cryoccd.simulate.cast import (
    Cast,
    broken_variants,
    debris_volumes,
    load_specimens,
    measure_species,
    species_volumes,
)
from cryoccd.simulate.config import SimulateConfig
from cryoccd.simulate.door import check_scene, check_tilts
from cryoccd.simulate.micrograph import simulate_one
from cryoccd.simulate.parallel import Job, for_each, one_thread
from cryoccd.simulate.resolved import resolved
from cryoccd.simulate.tomogram import simulate_tomogram


@one_thread()  # what all items share is made here
def simulate(
    config: SimulateConfig,
    output: Path,
    workers: int = 1,
    resume: bool = False,
    device: str = "cpu",
    title: str = "simulate",
    share: Share = WHOLE,
) -> None:
    """Simulate a set and write it to a dataset folder.

    The bytes do not depend on the number of workers or threads. Interrupted, the folder can be
    resumed.

    Args:
        config: what to simulate.
        output: the folder; must be empty or absent unless `resume`.
        workers: number of processes.
        resume: keep the finished micrographs of an earlier run with the same config.
        device: where to compute, "cpu" or "cuda".
        title: name on the progress bar.
        share: of the micrographs; the folder may hold those of others, and is finished by the last.

    Raises:
        CryoccdError: a bad config, structure or folder, or a worker that died.
    """
    if workers < 1:
        raise CryoccdError(f"simulate: workers = {workers}, expected 1 or more processes")
    check_device(device)
    check_tilts(config)
    writer = DatasetWriter(output, provenance(config), resume or not share.whole)
    names = [item_name(config, index) for index in range(config.count)]
    own = [index for index in range(config.count) if share.takes(index)]
    if writer.finished or not own:
        return
    specimens = load_specimens(config)
    species = measure_species(config, specimens)
    check_scene(config, species)
    volumes = species_volumes(specimens)
    for name, volume in volumes.items():
        writer.write_species(name, volume)
    missing = [index for index in own if not writer.has(names[index])]
    with (
        tempfile.TemporaryDirectory() as store,
        progress_bar() as progress,
    ):
        volumes |= debris_volumes(config, specimens)
        for name, volume in volumes.items():
            Projector(volume).save(_stored(Path(store), name))
        bar = progress.add_task(title, total=len(own), completed=len(own) - len(missing))
        setup = _Setup(config, writer, species, tuple(volumes), Path(store), device)
        for _ in for_each(setup, missing, workers):
            progress.advance(bar)
    writer.finish(names, share)


def item_name(config: SimulateConfig, index: int) -> str:
    """File stem of one micrograph or tilt series."""
    return f"{'mic' if config.tilts is None else 'tomo'}_{index:05d}"


def provenance(config: SimulateConfig) -> dict[str, Any]:
    """What made the set: the resolved config and the checksums of the files it names."""
    files = [Path(kind.source) for kind in config.species]
    return {
        "command": "simulate",
        "config": resolved(config),
        "seed": config.seed,
        "sources": {str(path): sha256_file(path) for path in files if path.is_file()},
    }


def check_device(device: str) -> None:
    """Refuse a device that is not at hand.

    Raises:
        CryoccdError: no such device, or one without driver.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # a build without CUDA asserts
        reason = str(error).splitlines()[0]
        raise CryoccdError(f"device {device}: not at hand ({reason}); use cpu") from error


@dataclass(frozen=True)
class _Setup:
    """Makes the job of one process; the cached transforms are mapped, not copied."""

    config: SimulateConfig
    writer: DatasetWriter
    species: tuple[SpeciesInScene, ...]
    keys: tuple[str, ...]
    store: Path
    device: str

    def __call__(self) -> Job:
        projectors = {
            key: Projector.load(_stored(self.store, key), self.device) for key in self.keys
        }
        cast = Cast(self.species, broken_variants(self.config), projectors)
        return partial(_simulate_item, self.config, cast, self.writer)


def _stored(store: Path, name: str) -> Path:
    return store / f"{name}.pt"


def _simulate_item(config: SimulateConfig, cast: Cast, writer: DatasetWriter, index: int) -> None:
    if config.tilts is not None:
        writer.write(simulate_tomogram(config, cast, index))
        return
    shot = simulate_one(config, cast, index)
    writer.write(
        Item(
            item_name(config, index),
            shot.exposure,
            seed=item_seed(config.seed, index),
            image=None if shot.image is None else shot.image.numpy(),
            dose_e_per_A2=float("nan") if config.dose is None else config.dose.dose_e_per_A2,
            frames=None if shot.frames is None else shot.frames.numpy(),
        )
    )
