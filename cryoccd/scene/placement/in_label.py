"""Particles in one compartment of a segmented volume."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cryoccd.errors import CryoccdError, check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal


@dataclass(frozen=True)
class InLabel(PlacementLaw):
    """Uniform in the voxels of a label of the backdrop.

    Args:
        label: its number.
    """

    label: int = 1

    needs: ClassVar[str] = "backdrop"

    def __post_init__(self) -> None:
        check_within("placement: label", self.label, 0, 65535, "a label of the backdrop")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Uniform batches; see the base class."""
        if field.labels is None:
            raise CryoccdError("placement: InLabel needs a backdrop; add `backdrop` to the config")
        for _ in range(BATCHES):
            yield Proposal(field.labels.sample(self.label, 2 * n + 64, generator))
