"""A density that rises linearly across the field."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, at_height


@dataclass(frozen=True)
class Gradient(PlacementLaw):
    """Thinning of uniform points with probability proportional to 1 + slope * t.

    t runs from 0 to 1 across the field along the direction.

    Args:
        slope: density at the far side is 1 + slope times that at the near one.
        direction_deg: angle of the rise from x towards y; None draws one for each micrograph.
    """

    slope: float = 4.0
    direction_deg: float | None = None

    def __post_init__(self) -> None:
        check_within("placement: slope", self.slope, 0, 1000, "of the density at the near side")
        if self.direction_deg is not None:
            check_within("placement: direction_deg", self.direction_deg, -360, 360, "degrees")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Thinned uniform batches; see the base class."""
        angle = generator.uniform(0, 360) if self.direction_deg is None else self.direction_deg
        direction = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
        low, side = field.low_A, field.high_A - field.low_A
        reach = np.abs(direction * side).sum()  # length of the field along the direction
        for _ in range(2 * BATCHES):
            xy_A = generator.uniform(low, low + side, (2 * n + 64, 2))
            along = ((xy_A - low - side / 2) @ direction) / reach + 0.5
            kept = generator.uniform(0, 1 + self.slope, len(xy_A)) < 1 + self.slope * along
            yield Proposal(at_height(xy_A[kept], diameter_A, field, generator))
