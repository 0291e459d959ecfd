"""Denser towards the middle of the field."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, at_height, inside


@dataclass(frozen=True)
class Gaussian(PlacementLaw):
    """A normal law about the centre of the field, cut at its edges.

    Args:
        sigma: standard deviation along each side, of that side.
    """

    sigma: float = 0.25

    def __post_init__(self) -> None:
        check_within("placement: sigma", self.sigma, 0.01, 10, "of the field's side")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Normal batches; those outside are lost; see the base class."""
        centre = (field.low_A + field.high_A) / 2
        spread = self.sigma * (field.high_A - field.low_A)
        for _ in range(4 * BATCHES):
            xy_A = centre + spread * generator.standard_normal((2 * n + 64, 2))
            xy_A = xy_A[inside(xy_A, field)]
            yield Proposal(at_height(xy_A, diameter_A, field, generator))
