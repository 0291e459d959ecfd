"""Which numbered items an epoch has, and which of them a process takes."""

from collections.abc import Iterator
from typing import Any, cast

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

    Raises:
        CryoccdError: the items do not go round, so that a process would wait for others in vain.
    """

    def __init__(self, images_per_epoch: int, rank: int = 0, world_size: int = 1) -> None:
        if images_per_epoch % world_size:
            raise CryoccdError(
                f"data: images_per_epoch = {images_per_epoch} among {world_size} processes, "
                f"expected a multiple of {world_size}"
            )
        numbers = cast("Any", range(images_per_epoch))  # asked for its length alone
        super().__init__(numbers, world_size, rank, shuffle=False)

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.total_size
        return iter(range(start + self.rank, start + self.total_size, self.num_replicas))
