"""How much the boxes of neighbouring particles share, within the data and across a split.

Two boxes of b voxels whose centres differ by d_x, d_y, d_z share max(0, 1 - |d|/b) along each axis,
and the product of the three in all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cryoccd.data.subtomograms.split import Split
from cryoccd.data.subtomograms.table import ParticleTable


@dataclass(frozen=True)
class OverlapAudit:
    """Shares of boxes, from 0 to 1.

    Args:
        boxes: how many.
        box_voxels: their edge.
        mean_largest: mean over boxes of the largest share that another box has of it.
        above_quarter: boxes of which another one has more than a quarter.
        above_half: the same for a half.
        held: how many boxes are held out.
        held_above_quarter: those of them of which a box of the training part has more than a
            quarter.
        padded_low_z: boxes that reach below the first slice and are filled with zeros there.
        padded: boxes that reach out of their tomogram on any side.
    """

    boxes: int
    box_voxels: int
    mean_largest: float
    above_quarter: float
    above_half: float
    held: int
    held_above_quarter: float
    padded_low_z: float
    padded: float

    def lines(self) -> list[str]:
        """The audit in words."""
        return [
            f"{self.boxes} boxes of {self.box_voxels} voxels; the largest overlap with another is "
            f"{self.mean_largest:.1%} on average, above 25 % for {self.above_quarter:.1%} and "
            f"above 50 % for {self.above_half:.1%}",
            f"{self.held_above_quarter:.1%} of the {self.held} held-out boxes overlap a training "
            "box by more than 25 %",
            f"{self.padded:.1%} reach out of their tomogram and are filled with zeros there, "
            f"{self.padded_low_z:.1%} below its first slice",
        ]


def overlap_audit(table: ParticleTable, split: Split, box_voxels: int) -> OverlapAudit:
    """Audit of the boxes at the nearest voxel of each centre."""
    centres = table.centres_px
    largest, across = np.zeros(len(table)), np.zeros(len(table))
    held = np.zeros(len(table), bool)
    held[split.held] = True
    for one, other, share in _pairs(table, centres, box_voxels):
        for a, b in ((one, other), (other, one)):
            np.maximum.at(largest, a, share)
            leaks = held[a] & ~held[b]
            np.maximum.at(across, a[leaks], share[leaks])
    low = centres - box_voxels // 2
    beyond = low + box_voxels > table.shapes_px[table.tomogram]
    return OverlapAudit(
        boxes=len(table),
        box_voxels=box_voxels,
        mean_largest=float(largest.mean()),
        above_quarter=float((largest > 0.25).mean()),
        above_half=float((largest > 0.5).mean()),
        held=int(held.sum()),
        held_above_quarter=float((across[held] > 0.25).mean()) if held.any() else 0.0,
        padded_low_z=float((low[:, 2] < 0).mean()),
        padded=float(((low < 0) | beyond).any(axis=1).mean()),
    )


def _pairs(
    table: ParticleTable, centres: NDArray[np.int64], box_voxels: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Rows of both boxes and the share that they have in common, tomogram by tomogram."""
    for number in np.unique(table.tomogram):
        rows = np.flatnonzero(table.tomogram == number)
        tree = cKDTree(centres[rows])
        pairs = tree.query_pairs(box_voxels, p=np.inf, output_type="ndarray").astype(np.int64)
        one, other = rows[pairs[:, 0]], rows[pairs[:, 1]]
        apart = np.abs(centres[one] - centres[other])
        yield one, other, (1 - apart / box_voxels).clip(0).prod(axis=1)
