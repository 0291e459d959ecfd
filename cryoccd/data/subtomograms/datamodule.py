"""Training data of generators of subtomograms: boxes of tomograms with their class and place."""

from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console
from torch.utils.data import DataLoader

from cryoccd.data.epochs import EpochSampler, resumed_within
from cryoccd.data.subtomograms.boxes import Box, HeldBoxes, TrainingBoxes, collate
from cryoccd.data.subtomograms.opened import Choices, Opened
from cryoccd.data.subtomograms.recipe import TomogramRecipe
from cryoccd.data.workers import leave_signals
from cryoccd.errors import CryoccdError, check_within
from cryoccd.io.tomograms import TomogramOptions, open_tomograms
from cryoccd.records import VolumeBatch

SplitKind = Literal["random", "leave_one_out"]
Part = Literal["train", "held"]

_LARGEST_BOX = 256


class SubtomogramDataModule(L.LightningDataModule):
    """Boxes about the particles of tomograms.

    An epoch is one pass over the training part, in an order of its own; item k of epoch e is the
    same with any number of workers and processes. The validation and the test loader both give the
    held-out part as it is: choose nothing by the one that you report by the other.

    Args:
        root: folder of tomograms that open_tomograms reads.
        box_voxels: edge of the boxes, even.
        split: "random" holds out a tenth of the particles, as the paper does; "leave_one_out" a
            whole tomogram, with which no training box shares a voxel.
        fold: which tomogram, or a list of them.
        batch_size: boxes in a batch of one process.
        images_per_epoch: items of one epoch, a multiple of the number of processes; None takes one
            pass.
        num_workers: processes that cut boxes.
        augment: half turns about the three axes, and the jitter; False gives each box as it is.
        mirrors: mirror images as well, which have the wrong hand.
        jitter_voxels: largest shift of a box along each axis.
        density: whether batches have the noise-free density of the particles; it needs poses.
        maps: folder with the map of each class, CLASS.mrc; None takes those of the folder.
        classes: names in the order of their labels; None takes all that occur, sorted.
        leave_out: classes that are not taken.
        options: which tomograms and picks, where the folder leaves a choice.
        recipe: makes the folder where it is absent.
        seed: seed of split, order, turns and jitter.
    """

    def __init__(
        self,
        root: Path,
        box_voxels: int = 64,
        split: SplitKind = "leave_one_out",
        fold: int | list[int] = 0,
        batch_size: int = 16,
        images_per_epoch: int | None = None,
        num_workers: int = 0,
        augment: bool = True,
        mirrors: bool = False,
        jitter_voxels: int = 2,
        density: bool = False,
        maps: Path | None = None,
        classes: list[str] | None = None,
        leave_out: list[str] | None = None,
        options: TomogramOptions | None = None,
        recipe: TomogramRecipe | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_within("data: box_voxels", box_voxels, 4, _LARGEST_BOX, "voxels")
        check_within("data: jitter_voxels", jitter_voxels, 0, box_voxels // 2, "voxels")
        if box_voxels % 2:
            raise CryoccdError(f"data: box_voxels = {box_voxels}, expected an even number")
        for name, value in (("batch_size", batch_size), ("images_per_epoch", images_per_epoch)):
            if value is not None and value < 1:
                raise CryoccdError(f"data: {name} = {value}, expected 1 or more")
        if mirrors and not augment:
            raise CryoccdError("data: mirrors without augment, expected both or none")
        if split not in ("random", "leave_one_out"):
            raise CryoccdError(f"data: split = {split!r}, expected random or leave_one_out")
        self.choices = Choices(
            root=Path(root),
            box_voxels=box_voxels,
            split=split,
            fold=fold,
            density=density,
            maps=maps,
            classes=classes,
            leave_out=leave_out or [],
            options=options,
            seed=seed,
        )
        self.box_voxels, self.batch_size = box_voxels, batch_size
        self.images_per_epoch, self.num_workers = images_per_epoch, num_workers
        self.augment, self.mirrors, self.seed = augment, mirrors, seed
        self.jitter_voxels = jitter_voxels if augment else 0
        self._recipe = recipe
        self._opened: Opened | None = None

    def prepare_data(self) -> None:
        """Let the recipe make the folder, and read every tomogram once, in one process.

        Raises:
            CryoccdError: a tomogram that cannot be read whole.
        """
        if self._recipe is not None:
            self._recipe.prepare(self.choices.root)
        open_tomograms(self.choices.root, self.choices.options).check_voxels()

    def setup(self, stage: str | None = None) -> None:
        """Open the folder, split its particles, and say how much their boxes overlap.

        Raises:
            CryoccdError: an input is faulty.
        """
        if self._opened is None:
            self._opened = Opened.by(self.choices)
            _print(self.describe())

    @property
    def opened(self) -> Opened:
        """Tomograms, particles (`table`), split, audit, density.

        Raises:
            CryoccdError: `setup` has not run.
        """
        if self._opened is None:
            raise CryoccdError("data: tomograms are not opened yet; call setup first")
        return self._opened

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of their labels."""
        return self.opened.table.classes

    @property
    def voxel_size_A(self) -> float:
        """Edge of a voxel."""
        return self.opened.source.voxel_size_A

    @property
    def places(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(n,) label and (n, 3) position x, y, z of each box of the training part as it is."""
        table, rows = self.opened.table, self.opened.split.train
        return torch.from_numpy(table.label[rows]), torch.from_numpy(table.positions[rows]).float()

    def describe(self) -> list[str]:
        """What the data is, in lines: counts of each class, split, overlap of boxes."""
        return self.opened.lines()

    def boxes(self, part: Part) -> HeldBoxes:
        """The boxes of a part as they are, by number; `boxes.rows` are their rows of the table."""
        opened = self.opened
        rows = opened.split.train if part == "train" else opened.split.held
        return HeldBoxes(opened.cutter, rows)

    def train_dataloader(self) -> DataLoader[Box]:
        """Batches of the training part.

        Raises:
            CryoccdError: images_per_epoch is no multiple of the processes.
        """
        trainer, opened = self.trainer, self.opened
        rank, world_size = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        rows = opened.split.train
        count = self.images_per_epoch or -(-len(rows) // world_size) * world_size
        boxes = TrainingBoxes(
            opened.cutter, rows, self.seed, self.augment, self.mirrors, self.jitter_voxels
        )
        return DataLoader(
            boxes,
            batch_size=self.batch_size,
            sampler=EpochSampler(count, rank, world_size, resumed_within(trainer, self.batch_size)),
            num_workers=self.num_workers,
            collate_fn=collate,
            worker_init_fn=leave_signals,
            persistent_workers=self.num_workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Box]:
        """Batches of the held-out part, as it is."""
        return DataLoader(
            self.boxes("held"),
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=collate,
        )

    def test_dataloader(self) -> DataLoader[Box]:
        """The same as the validation loader."""
        return self.val_dataloader()

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Move our record as a whole."""
        if isinstance(batch, VolumeBatch):
            return batch.to(device)
        return super().transfer_batch_to_device(batch, device, dataloader_idx)


@rank_zero_only
def _print(lines: list[str]) -> None:
    for line in lines:
        Console().print(line, style="dim", markup=False)
