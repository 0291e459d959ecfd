"""Drawn particles of tomograms, kept while there is room for them."""

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

ROOM = 2**28
"""Voxels that are kept: 1 GiB."""


class Drawn(NamedTuple):
    """(z, y, x) density of a particle, and where its first voxel x, y, z lies."""

    first_px: NDArray[np.int64]
    values: Tensor


class Shelf:
    """The particles that were asked for last, by map, place and pose.

    In training each is asked for again and again, by its own boxes and by those of its neighbours.

    Args:
        room: voxels.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.room, self.voxels = room, 0
        self._items: OrderedDict[tuple[str, bytes, bytes], Drawn] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def __getstate__(self) -> dict[str, Any]:
        return {"room": self.room, "voxels": 0, "_items": OrderedDict()}  # others draw their own

    def take(
        self, name: str, xyz_px: NDArray[np.float64], rotation: NDArray[np.float64]
    ) -> Drawn | None:
        """One that is here."""
        key = _key(name, xyz_px, rotation)
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(
        self, name: str, xyz_px: NDArray[np.float64], rotation: NDArray[np.float64], drawn: Drawn
    ) -> None:
        """Keep one, in the place of those that nobody has asked for the longest."""
        self._items[_key(name, xyz_px, rotation)] = drawn
        self.voxels += drawn.values.numel()
        while self.voxels > self.room:
            self.voxels -= self._items.popitem(last=False)[1].values.numel()


def _key(
    name: str, xyz_px: NDArray[np.float64], rotation: NDArray[np.float64]
) -> tuple[str, bytes, bytes]:
    return name, xyz_px.tobytes(), rotation.tobytes()
