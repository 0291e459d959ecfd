"""A whole set of clean micrographs, written as a dataset folder."""

import tempfile
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cryoccd.errors import CryoccdError
from cryoccd.geometry import item_seed
from cryoccd.imaging.projection import Projector
from cryoccd.io.atomic import sha256_file
from cryoccd.io.dataset import DatasetWriter, Item
from cryoccd.io.progress import progress_bar
from cryoccd.records import Volume
from cryoccd.scene.compose import SpeciesInScene, check_density
from cryoccd.simulate.clean import Cast, simulate_one
from cryoccd.simulate.config import SimulateConfig
from cryoccd.simulate.parallel import Job, for_each
from cryoccd.specimen.species import diameter_A, load_species


def simulate(
    config: SimulateConfig,
    output: Path,
    workers: int = 1,
    resume: bool = False,
    device: str = "cpu",
    title: str = "simulate",
) -> None:
    """Simulate a set and write it to a dataset folder.

    The bytes do not depend on the number of workers. Interrupted, the folder can be resumed.

    Args:
        config: what to simulate.
        output: the folder; must be empty or absent unless `resume`.
        workers: number of processes.
        resume: keep the finished micrographs of an earlier run with the same config.
        device: where to compute, "cpu" or "cuda".
        title: name on the progress bar.

    Raises:
        CryoccdError: a bad config, structure or folder, or a worker that died.
    """
    if workers < 1:
        raise CryoccdError(f"simulate: workers = {workers}, expected 1 or more processes")
    check_device(device)
    writer = DatasetWriter(output, provenance(config), resume)
    if writer.finished:
        return
    volumes = load_volumes(config)
    species = measure_species(config, volumes)
    for name, volume in volumes.items():
        writer.write_species(name, volume)
    names = [f"mic_{index:05d}" for index in range(config.count)]
    missing = [index for index, name in enumerate(names) if not writer.has(name)]
    with (
        tempfile.TemporaryDirectory() as store,
        progress_bar() as progress,
    ):
        for name, volume in volumes.items():
            Projector(volume).save(_stored(Path(store), name))
        bar = progress.add_task(title, total=config.count, completed=config.count - len(missing))
        setup = _Setup(config, writer, species, Path(store), device)
        for _ in for_each(setup, missing, workers):
            progress.advance(bar)
    writer.finish(names)


def provenance(config: SimulateConfig) -> dict[str, Any]:
    """What made the set: the resolved config and the checksums of the files it names."""
    files = [Path(kind.source) for kind in config.species]
    return {
        "command": "simulate",
        "config": asdict(config),
        "seed": config.seed,
        "sources": {str(path): sha256_file(path) for path in files if path.is_file()},
    }


def load_volumes(config: SimulateConfig) -> dict[str, Volume]:
    """The potential of each species by name, in the order of the config."""
    volumes: dict[str, Volume] = {}
    for kind in config.species:
        name, volume = load_species(kind.source, config.pixel_size_A, config.box_px)
        if name in volumes:
            raise CryoccdError(f"species {kind.source}: a second one is named {name}; rename one")
        if volume.box_px > min(config.shape_px):
            raise CryoccdError(
                f"species {name}: a box of {volume.box_px} px, expected at most the field, "
                f"{min(config.shape_px)} px; enlarge shape_px or pixel_size_A"
            )
        volumes[name] = volume
    return volumes


def measure_species(
    config: SimulateConfig, volumes: dict[str, Volume]
) -> tuple[SpeciesInScene, ...]:
    """Name, diameter and abundance of each species; refuses a density that cannot be placed."""
    species = tuple(
        SpeciesInScene(name, diameter_A(volume), kind.abundance)
        for (name, volume), kind in zip(volumes.items(), config.species, strict=True)
    )
    height, width = config.shape_px
    check_density(species, config.particles, height * width * config.pixel_size_A**2)
    return species


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
    store: Path
    device: str

    def __call__(self) -> Job:
        projectors = {
            kind.name: Projector.load(_stored(self.store, kind.name), self.device)
            for kind in self.species
        }
        return partial(_simulate_item, self.config, Cast(self.species, projectors), self.writer)


def _stored(store: Path, name: str) -> Path:
    return store / f"{name}.pt"


def _simulate_item(config: SimulateConfig, cast: Cast, writer: DatasetWriter, index: int) -> None:
    exposure = simulate_one(config, cast, index)
    writer.write(Item(f"mic_{index:05d}", exposure, seed=item_seed(config.seed, index)))
