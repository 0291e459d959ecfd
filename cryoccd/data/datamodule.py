"""Training data of every method: crops of simulated and of real micrographs, not paired."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader

from cryoccd.data.augment import DrawnBatch, augment
from cryoccd.data.crops import Crops, UnpairedCrops, collate
from cryoccd.data.epochs import EpochSampler, resumed_within
from cryoccd.data.interleave import Interleaved
from cryoccd.data.part import FolderPair, IceKind, Part
from cryoccd.data.real import RealMicrograph
from cryoccd.data.recipe import Recipe
from cryoccd.data.simulated import SimulatedMicrograph
from cryoccd.data.workers import leave_signals
from cryoccd.errors import CryoccdError
from cryoccd.records import UnpairedBatch


class CryoDataModule(L.LightningDataModule):
    """Crops from a simulated dataset folder and from a folder of real micrographs.

    Everything but the constructor serves several pairs of folders as well; MixedDataModule has
    more than one part.

    Args:
        simulated: dataset folder with clean images.
        real: folder that open_folder reads; its train split where it has a split.csv, else all.
        crop_px: side of the square crops.
        batch_size: crops of each side in a batch of one process.
        images_per_epoch: items of one epoch, a multiple of the number of processes.
        num_workers: processes that cut crops.
        pixel_size_A: pixel size of the real side where its files have none.
        ice_source: "real" draws the ice from maps estimated on the real micrographs, "model" takes
            the ice that the simulation had.
        augment: flips and quarter turns on the device.
        rotate_real: also for the real side; None lets the measured anisotropy of its spectrum
            decide.
        style: index of the acquisition style, given on in each batch.
        recipe: makes the folders where they are absent.
        cache: folder for the estimated ice maps, None keeps them in memory.
        validation: micrographs of each side that are drawn to be kept from training.
        seed: seed of crops, symmetries, ice and that draw.
    """

    parts: Sequence[Part]
    """The pairs of folders that crops are drawn from."""

    def __init__(
        self,
        simulated: Path,
        real: Path,
        crop_px: int = 256,
        batch_size: int = 1,
        images_per_epoch: int = 1000,
        num_workers: int = 0,
        pixel_size_A: float | None = None,
        ice_source: IceKind = "real",
        augment: bool = True,
        rotate_real: bool | None = None,
        style: int = 0,
        recipe: Recipe | None = None,
        cache: Path | None = None,
        validation: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (
            ("crop_px", crop_px),
            ("batch_size", batch_size),
            ("images_per_epoch", images_per_epoch),
        ):
            if value < 1:
                raise CryoccdError(f"data: {name} = {value}, expected 1 or more")
        self.crop_px, self.batch_size, self.images_per_epoch = crop_px, batch_size, images_per_epoch
        self.num_workers, self.ice_source, self.augment = num_workers, ice_source, augment
        self.seed = seed
        pair = FolderPair(Path(simulated), Path(real), pixel_size_A, rotate_real, recipe, cache)
        self.parts = (Part(pair, style, ice_source, seed, validation=validation),)

    def prepare_data(self) -> None:
        """Let the recipes make the folders, in one process."""
        for part in self.parts:
            part.pair.prepare()

    def setup(self, stage: str | None = None) -> None:
        """Open all folders and compare the pixel sizes of both sides."""
        for part in self.parts:
            part.check()

    def train_dataloader(self) -> DataLoader[Crops]:
        """Batches of both sides; item k of epoch e is the same with any number of workers.

        Raises:
            CryoccdError: an input is faulty, or images_per_epoch is no multiple of the processes.
        """
        trainer = self.trainer
        rank, world_size = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        resumed = resumed_within(trainer, self.batch_size)
        sampler = EpochSampler(self.images_per_epoch, rank, world_size, resumed)
        for part in self.parts:
            part.fill(self.crop_px)
        return DataLoader(
            UnpairedCrops(self.parts, self.crop_px, self.seed, self.augment),
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=collate,
            worker_init_fn=leave_signals,
            persistent_workers=self.num_workers > 0,
        )

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Move our record as a whole."""
        if isinstance(batch, UnpairedBatch):
            return batch.to(device)
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Apply the drawn symmetries on the device."""
        return augment(batch) if isinstance(batch, DrawnBatch) else batch

    def train_real(self) -> Interleaved[RealMicrograph]:
        """The real training micrographs, whole; iterates, counts and indexes."""
        return Interleaved([part.real for part in self.parts])

    def train_simulated(self) -> Interleaved[SimulatedMicrograph]:
        """The simulated micrographs, whole; iterates, counts and indexes."""
        return Interleaved([part.simulated for part in self.parts])

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of the simulated side.

        Raises:
            CryoccdError: the parts differ in it.
        """
        return _the_one("pixel size", [part.pixel_size_A for part in self.parts])

    @property
    def particle_diameter_A(self) -> float:
        """Diameter of the disc that covers a particle of the real side.

        Raises:
            CryoccdError: the parts differ in it, or the optics lack a key.
        """
        return _the_one("particle diameter", [part.particle_diameter_A for part in self.parts])


def _the_one(name: str, values_A: list[float]) -> float:
    if max(values_A) > 1.01 * min(values_A):
        listed = ", ".join(f"{value:g}" for value in values_A)
        raise CryoccdError(
            f"data: the parts differ in {name} ({listed} A), and this method takes one; fit it on "
            "each part alone"
        )
    return values_A[0]
