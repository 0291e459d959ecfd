"""Complete randomness but for the hard core.

Discs placed at random jam at an area fraction of 0.547, and close to it uniform proposals almost
never hit a hole: then a fine jittered lattice proposes points in every hole that is left.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, at_height

_LATTICE = 10  # points of the fallback lattice along one diameter


@dataclass(frozen=True)
class Uniform(PlacementLaw):
    """Uniform in the field and in the ice."""

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """Uniform batches, then a lattice; see the base class."""
        for _ in range(BATCHES):
            xy_A = generator.uniform(field.low_A, field.high_A, (2 * n + 64, 2))
            yield Proposal(at_height(xy_A, diameter_A, field, generator))
        xy_A = jittered_lattice(diameter_A / _LATTICE, field, generator)
        yield Proposal(at_height(xy_A, diameter_A, field, generator))


def jittered_lattice(
    step_A: float, field: Field, generator: np.random.Generator
) -> NDArray[np.float64]:
    """(m, 2) points, one at random in each square of a lattice, in random order."""
    low, high = field.low_A, field.high_A
    columns, rows = (np.arange(low[axis], high[axis], step_A) for axis in (0, 1))
    lattice = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    jittered = np.minimum(lattice + generator.uniform(0, step_A, lattice.shape), high)
    return generator.permutation(jittered)
