"""Training data of every method: crops of simulated and of real micrographs, not paired."""

from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from torch.utils.data import DataLoader

from cryoccd.data.anisotropy import THRESHOLD, spectral_anisotropy
from cryoccd.data.augment import DrawnBatch, augment
from cryoccd.data.crops import Collate, Crops, EpochSampler, UnpairedCrops
from cryoccd.data.ice_sources import IceSource, ModelIce, RealIce
from cryoccd.data.real import RealPool
from cryoccd.data.recipe import Recipe
from cryoccd.data.simulated import SimulatedPool
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import FolderOptics, open_folder
from cryoccd.records import UnpairedBatch

_MEASURED_MICROGRAPHS = 16


class CryoDataModule(L.LightningDataModule):
    """Crops from a simulated dataset folder and from a folder of real micrographs.

    Args:
        simulated: dataset folder with clean images; all of it is for training.
        real: folder that open_folder reads; its train split where it has a split.csv, else all.
        crop_px: side of the square crops.
        batch_size: crops of each side in a batch.
        images_per_epoch: items of one epoch.
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
        seed: seed of crops, symmetries and ice.
    """

    def __init__(
        self,
        simulated: Path,
        real: Path,
        crop_px: int = 256,
        batch_size: int = 1,
        images_per_epoch: int = 1000,
        num_workers: int = 0,
        pixel_size_A: float | None = None,
        ice_source: Literal["model", "real"] = "real",
        augment: bool = True,
        rotate_real: bool | None = None,
        style: int = 0,
        recipe: Recipe | None = None,
        cache: Path | None = None,
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
        self.simulated, self.real = Path(simulated), Path(real)
        self.crop_px, self.batch_size, self.images_per_epoch = crop_px, batch_size, images_per_epoch
        self.num_workers, self.ice_source, self.augment = num_workers, ice_source, augment
        self.rotate_real, self.style, self.recipe = rotate_real, style, recipe
        self.cache, self.seed = cache, seed
        self._real_pixel_size_A = pixel_size_A

    def prepare_data(self) -> None:
        """Let the recipe make the folders, in one process."""
        if self.recipe is not None:
            self.recipe.prepare(self.simulated, self.real)

    def setup(self, stage: str | None = None) -> None:
        """Open both folders and compare their pixel sizes."""
        simulated_A = self._simulated_pool.dataset.pixel_size_A
        real_A = self._real_pool.folder.pixel_size_A
        if abs(real_A / simulated_A - 1) > 0.01:
            raise CryoccdError(
                f"{self.simulated}: pixel size {simulated_A:g} A, but {real_A:g} A in {self.real}; "
                "simulate at the pixel size of the real micrographs"
            )

    def train_dataloader(self) -> DataLoader[Crops]:
        """Batches of both sides; item k of epoch e is the same with any number of workers."""
        # faults of the input show here, in one line, and not inside a worker
        if self._real_pool.folder.has_picks:
            self.real_optics()
        self._real_pool.fill(self.crop_px)
        self._simulated_pool.fill(self.crop_px)
        rotate = self.augment and self.turns_real
        crops = UnpairedCrops(
            self._simulated_pool, self._real_pool, self.crop_px, self.seed, self.augment, rotate
        )
        return DataLoader(
            crops,
            batch_size=self.batch_size,
            sampler=EpochSampler(self.images_per_epoch),
            num_workers=self.num_workers,
            collate_fn=Collate(self.pixel_size_A, self.style),
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

    def train_real(self) -> RealPool:
        """The real training micrographs, whole; iterates, counts and indexes."""
        return self._real_pool

    def train_simulated(self) -> SimulatedPool:
        """The simulated micrographs, whole; iterates, counts and indexes."""
        return self._simulated_pool

    def real_optics(self) -> FolderOptics:
        """Optics of the real side.

        Raises:
            CryoccdError: a key is missing; the line lists all that are.
        """
        return self._real_pool.folder.optics()

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of the simulated side; that of the real side agrees within 1 %."""
        return self._simulated_pool.dataset.pixel_size_A

    @property
    def particle_diameter_A(self) -> float:
        """Diameter of the disc that covers a particle of the real side."""
        return self.real_optics().particle_diameter_A

    @cached_property
    def turns_real(self) -> bool:
        """Whether the real side is turned: as told, else by the anisotropy of its spectrum."""
        if self.rotate_real is not None:
            return self.rotate_real
        measured = (m.image for m in islice(self._real_pool, _MEASURED_MICROGRAPHS))
        return spectral_anisotropy(measured) <= THRESHOLD

    @cached_property
    def _real_pool(self) -> RealPool:
        folder = open_folder(self.real, self._real_pixel_size_A)
        return RealPool(folder, self.seed, self.cache)

    @cached_property
    def _simulated_pool(self) -> SimulatedPool:
        ice: IceSource = ModelIce() if self.ice_source == "model" else RealIce(self._real_pool)
        return SimulatedPool(Dataset(self.simulated), ice, self.seed)
