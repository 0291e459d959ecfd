"""Which numbered items an epoch has, and which of them a process takes."""

from collections.abc import Iterator
from typing import Any, cast

import lightning as L
from torch.utils.data import DistributedSampler

from cryoccd.errors import CryoccdError


class EpochSampler(DistributedSampler[int]):
    """Numbers epoch * images .. (epoch + 1) * images - 1, so no two epochs share an item.

    Process r of W takes every W-th from the r-th on: the k-th batches of b items of all processes
    are together the k-th batch of W * b of a single one. Being a DistributedSampler it is used by
    Lightning as it is; the trainer calls set_epoch, also on a resumed run.

    Args:
        images_per_epoch: items of an epoch, all processes together.
        rank: number of this process.
        world_size: number of processes.
        resumed: number of an epoch that a run resumes within, and the images that it has had.

    Raises:
        CryoccdError: the items do not go round, so that a process would wait for others in vain.
    """

    def __init__(
        self,
        images_per_epoch: int,
        rank: int = 0,
        world_size: int = 1,
        resumed: tuple[int, int] = (0, 0),
    ) -> None:
        if images_per_epoch % world_size:
            raise CryoccdError(
                f"data: images_per_epoch = {images_per_epoch} among {world_size} processes, "
                f"expected a multiple of {world_size}"
            )
        numbers = cast("Any", range(images_per_epoch))  # asked for its length alone
        super().__init__(numbers, world_size, rank, shuffle=False)
        self.resumed = resumed

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.total_size
        first = self.resumed[1] if self.epoch == self.resumed[0] else 0
        return iter(range(start + first + self.rank, start + self.total_size, self.num_replicas))


def resumed_within(trainer: L.Trainer | None, batch_size: int) -> tuple[int, int]:
    """Number of the epoch that a run resumes within, and the images that it has had.

    Args:
        trainer: its loops know, of the checkpoint, which batches have been trained.
        batch_size: of one process; all batches but the last of an epoch have it.
    """
    if trainer is None or not trainer.fit_loop.restarting:
        return 0, 0
    loop: Any = trainer.fit_loop  # its counters are typed by their common base
    epoch = loop.epoch_progress.current.processed
    batches = loop.epoch_loop.batch_progress.current.processed
    return epoch, batches * batch_size * trainer.world_size
