"""Broken particles: fragments of a species, which no picker should take for whole ones."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cryoccd.errors import check_within
from cryoccd.records import Body, Debris, Particles
from cryoccd.scene.artefacts.laws import Artefact, Candidates
from cryoccd.scene.field import Field
from cryoccd.scene.orientation import uniform_so3


@dataclass(frozen=True)
class BrokenParticles(Artefact):
    """Pieces at random places and turns; they may lie beside or over whole particles.

    Args:
        mean: mean number a field, Poisson.
        variants: number of ways in which each species breaks.
    """

    mean: float = 5.0
    variants: int = 4

    flat: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_within("artefacts: BrokenParticles.mean", self.mean, 0, 10000, "a field")
        check_within("artefacts: BrokenParticles.variants", self.variants, 1, 100, "pieces")

    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The pieces; see the base class."""
        pieces = []
        for _ in range(int(generator.poisson(self.mean))):
            kind = int(generator.choice(len(candidates.shares), p=candidates.shares))
            index, variants = candidates.broken[kind]
            xy_A = generator.uniform(field.low_A, field.high_A)
            room_A = float(field.room_A(xy_A[None], float(candidates.diameters_A[kind]))[0])
            pieces.append(
                Debris(
                    "broken",
                    Particles(
                        positions_A=np.array([[*xy_A, room_A * generator.uniform(-1, 1)]]),
                        eulers_deg=uniform_so3(1, generator),
                        species=np.array([index]),
                        conformation=generator.integers(1, variants + 1, 1),
                    ),
                )
            )
        return tuple(pieces)
