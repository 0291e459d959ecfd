"""Boxes of tomograms, numbered: the same number gives the same box, whoever asks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.data.subtomograms.density import ClassDensity
from cryoccd.data.subtomograms.table import ParticleTable
from cryoccd.data.subtomograms.turns import (
    TURNS,
    Flips,
    cut_corner,
    draw_flips,
    flipped,
    turned_position,
)
from cryoccd.io.tomograms import TomogramSource, Voxels
from cryoccd.randomness import item_seed
from cryoccd.records import VolumeBatch

_EPSILON = 1e-8  # of the paper's z-score
_STILL = np.zeros(3, np.int64)


@dataclass(frozen=True)
class Box:
    """One item: (1, b, b, b) volume and density, its label and (3,) place x, y, z."""

    volume: Tensor
    label: int
    position: Tensor
    density: Tensor | None
    voxel_size_A: float


def collate(items: list[Box]) -> VolumeBatch:
    """The batch of some items."""
    densities = [item.density for item in items if item.density is not None]
    return VolumeBatch(
        volume=torch.stack([item.volume for item in items]),
        label=torch.tensor([item.label for item in items]),
        position=torch.stack([item.position for item in items]),
        density=torch.stack(densities) if densities else None,
        voxel_size_A=items[0].voxel_size_A,
    )


class BoxCutter:
    """Cuts boxes out of tomograms; each process opens its own files.

    Args:
        source: the tomograms.
        table: all particles, which are neighbours of one another.
        box_voxels: edge of the boxes, even.
        density: draws the density of each box; None leaves it out.
    """

    def __init__(
        self,
        source: TomogramSource,
        table: ParticleTable,
        box_voxels: int,
        density: ClassDensity | None = None,
    ) -> None:
        self.table = table
        self._source, self.side, self._density = source, box_voxels, density
        self._open: dict[int, Voxels] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}

    def cut(self, row: int, flips: Flips = TURNS[0], shift_px: NDArray[np.int64] = _STILL) -> Box:
        """The box about a particle: beyond the tomogram 0, then at mean 0 and deviation 1.

        Args:
            row: of the table.
            flips: axes to turn about the middle of the box.
            shift_px: how far from the particle the box has its middle, before the turn.

        Raises:
            CryoccdError: the tomogram cannot be read there.
        """
        table, side = self.table, self.side
        number = int(table.tomogram[row])
        shape_px = table.shapes_px[number]
        corner = cut_corner(table.centres_px[row] + shift_px, side, flips)
        x, y, z = corner.tolist()
        volume = flipped(self._voxels(number).block((z, y, x), (side,) * 3), flips)
        values = volume.astype(np.float64)
        volume = ((values - values.mean()) / (values.std() + _EPSILON)).astype(np.float32)
        # the middle of the extent [-1/2, n - 1/2] is where turned_position turns
        place = (table.xyz_px[row] + shift_px + 0.5) / shape_px
        position = turned_position(place.clip(0, 1), flips).astype(np.float32)
        density = None
        if self._density is not None:
            drawn = self._drawn(self._density, number, corner)
            density = torch.from_numpy(flipped(drawn, flips))[None]
        return Box(
            torch.from_numpy(volume)[None],
            int(table.label[row]),
            torch.from_numpy(position),
            density,
            self._source.voxel_size_A,
        )

    def _voxels(self, number: int) -> Voxels:
        if number not in self._open:
            self._open[number] = self._source.tomograms[number].open()
        return self._open[number]

    def _drawn(
        self, density: ClassDensity, number: int, corner: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Density of the box, 0 beyond the tomogram as the box itself is."""
        table, side = self.table, self.side
        near = np.abs(table.xyz_px - corner - side / 2).max(axis=1) < side / 2 + density.reach_px
        rows = np.flatnonzero((table.tomogram == number) & near)
        names = [table.map_keys[row] for row in rows]
        sides = (side,) * 3
        block = density.draw(corner, sides, table.xyz_px[rows], table.rotations[rows], names)
        for axis, (first, count) in enumerate(zip(corner, table.shapes_px[number], strict=True)):
            along = torch.arange(side) + int(first)
            outside = (along < 0) | (along >= int(count))
            block.index_fill_(2 - axis, torch.nonzero(outside).flatten(), 0.0)
        return block.numpy()


class HeldBoxes(Dataset[Box]):
    """Boxes of some rows as they are, in their order."""

    def __init__(self, cutter: BoxCutter, rows: NDArray[np.int64]) -> None:
        self._cutter, self.rows = cutter, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: int) -> Box:
        return self._cutter.cut(int(self.rows[item]))


class TrainingBoxes(Dataset[Box]):
    """Boxes by number, without end: each pass over the rows has an order of its own.

    Item k is drawn from the seed and k alone.

    Args:
        cutter: cuts them.
        rows: particles to train on.
        seed: seed of order, turns and shifts.
        augment: whether boxes are turned.
        mirrors: whether also mirrored.
        jitter_voxels: largest shift along each axis; the box is cut elsewhere, not rolled.
    """

    def __init__(
        self,
        cutter: BoxCutter,
        rows: NDArray[np.int64],
        seed: int,
        augment: bool,
        mirrors: bool,
        jitter_voxels: int,
    ) -> None:
        self._cutter, self._rows, self._seed = cutter, rows, seed
        self._augment, self._mirrors, self._jitter = augment, mirrors, jitter_voxels
        self._order: tuple[int, NDArray[np.int64]] = (-1, rows)

    def __getitem__(self, item: int) -> Box:
        rng = np.random.default_rng(item_seed(self._seed, "box", item))
        flips = draw_flips(rng, self._augment, self._mirrors)
        shift_px = rng.integers(-self._jitter, self._jitter + 1, 3)
        return self._cutter.cut(self._row(item), flips, shift_px)

    def _row(self, item: int) -> int:
        number, place = divmod(item, len(self._rows))
        if self._order[0] != number:
            order = np.random.default_rng(item_seed(self._seed, "order", number))
            self._order = number, order.permutation(self._rows)
        return int(self._order[1][place])
