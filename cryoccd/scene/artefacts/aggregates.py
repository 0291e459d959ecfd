"""Aggregates: clumps of touching particles that have lost their use."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cryoccd.errors import CryoccdError, check_within
from cryoccd.records import Body, Debris, Particles
from cryoccd.scene.artefacts.laws import Artefact, Candidates
from cryoccd.scene.field import Field
from cryoccd.scene.orientation import uniform_so3
from cryoccd.scene.placement.aggregate import clump


@dataclass(frozen=True)
class Aggregates(Artefact):
    """Clumps of one species; a clump is one labelled instance.

    Args:
        mean: mean number a field, Poisson.
        size: least and largest number of particles in a clump.
    """

    mean: float = 1.0
    size: tuple[int, int] = (3, 12)

    flat: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_within("artefacts: Aggregates.mean", self.mean, 0, 10000, "a field")
        if not 2 <= self.size[0] <= self.size[1] <= 10000:
            raise CryoccdError(
                f"artefacts: Aggregates.size = {list(self.size)}, expected [least, largest] from 2"
            )

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The clumps; see the base class."""
        clumps = []
        for _ in range(int(generator.poisson(self.mean))):
            kind = int(generator.choice(len(candidates.shares), p=candidates.shares))
            size = int(generator.integers(self.size[0], self.size[1] + 1))
            centres = clump(size, 0.9 * float(candidates.diameters_A[kind]), field, generator)
            n = len(centres)
            variants = int(candidates.conformations[kind])
            conformation = generator.integers(1, variants + 1, n) if variants > 1 else np.zeros(n)
            members = Particles(
                positions_A=centres,
                eulers_deg=uniform_so3(n, generator),
                species=np.full(n, kind),
                conformation=conformation.astype(np.int64),
            )
            clumps.append(Debris("aggregate", members))
        return tuple(clumps)
