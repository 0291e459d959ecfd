"""Crowding: packed to a target share of the ice.

Random sequential adsorption of spheres jams at 0.38 (Cooper 1988), in a thin slab earlier. So
points are drawn at random and pushed apart along their overlaps until none is left (Jodrey & Tory
1985).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.spatial import cKDTree

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import PlacementLaw, Proposal

_SWEEPS = 600
_APART = 1.002  # diameters, so that what is left of an overlap still clears the hard core


@dataclass(frozen=True)
class Dense(PlacementLaw):
    """As many as fill a share of the ice's volume; their number follows from it.

    Args:
        occupancy: volume of the hard spheres over that of the ice.
    """

    occupancy: float = 0.25

    solid: ClassVar[bool] = True
    counts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_within("placement: occupancy", self.occupancy, 0.001, 0.45, "of the ice's volume")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """One relaxed packing; see the base class."""
        low, high = field.low_A, field.high_A
        volume_A3 = float(np.prod(high - low) * field.thickness_A.mean())
        wanted = round(self.occupancy * volume_A3 / (np.pi / 6 * diameter_A**3))
        points = np.empty((wanted, 3))
        points[:, :2] = generator.uniform(low, high, (wanted, 2))
        points[:, 2] = field.room_A(points[:, :2], diameter_A) * generator.uniform(-1, 1, wanted)
        for _ in range(_SWEEPS):
            pairs = cKDTree(points).query_pairs(diameter_A * _APART, output_type="ndarray")
            if len(pairs) == 0:
                break
            apart = points[pairs[:, 0]] - points[pairs[:, 1]]
            distance = np.linalg.norm(apart, axis=1)
            step = (_APART * 1.001 * diameter_A - distance) / np.maximum(distance, 1e-9) / 2
            push = apart * step[:, None]
            np.add.at(points, pairs[:, 0], push)
            np.add.at(points, pairs[:, 1], -push)
            points[:, :2] = points[:, :2].clip(low, high)
            room_A = field.room_A(points[:, :2], diameter_A)
            points[:, 2] = points[:, 2].clip(-room_A, room_A)
        yield Proposal(points)
