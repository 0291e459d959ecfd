"""Polysomes: ribosomes on a strand at near-constant spacing and relative rotation.

Neighbours on one messenger RNA keep a preferred distance and mutual orientation (Brandt et al.,
Cell 136, 261, 2009); here A_k = A_(k-1) R exp(w), with R the mean relative rotation in the frame of
the earlier one and w a Gaussian rotation vector.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, inside

_TRIES = 30


@dataclass(frozen=True)
class Polysome(PlacementLaw):
    """Strands that do not cross themselves.

    Args:
        length: ribosomes a strand.
        spacing: mean distance of neighbours in diameters.
        spacing_sd: its standard deviation in diameters.
        bend_deg: standard deviation of the angle between successive steps.
        relative_deg: mean relative rotation of neighbours, as a rotation vector in degrees.
        scatter_deg: standard deviation of each component about it.
    """

    length: int = 8
    spacing: float = 1.1
    spacing_sd: float = 0.03
    bend_deg: float = 40.0
    relative_deg: tuple[float, float, float] = (0.0, 0.0, 100.0)
    scatter_deg: float = 15.0

    solid: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_within("placement: length", self.length, 1, 100000, "ribosomes a strand")
        check_within("placement: spacing", self.spacing, 1, 100, "diameters")
        check_within("placement: spacing_sd", self.spacing_sd, 0, 10, "diameters")
        check_within("placement: bend_deg", self.bend_deg, 0, 180, "degrees")
        check_within("placement: scatter_deg", self.scatter_deg, 0, 180, "degrees")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """One strand after the other; see the base class."""
        for _ in range(2 * BATCHES * (2 + n // self.length)):
            positions_A = self._strand(diameter_A, field, generator)
            count = len(positions_A)
            turn = Rotation.random(rng=generator)
            mean = Rotation.from_rotvec(self.relative_deg, degrees=True)
            rotations = [turn.as_matrix()]
            for _ in range(count - 1):
                scatter = self.scatter_deg * generator.standard_normal(3)
                turn = turn * mean * Rotation.from_rotvec(scatter, degrees=True)
                rotations.append(turn.as_matrix())
            yield Proposal(positions_A, np.stack(rotations), np.zeros(count, dtype=np.int64))

    def _strand(
        self, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """(m, 3) centres, m <= length where the strand ran into a corner."""
        xy_A = generator.uniform(field.low_A, field.high_A)
        room_A = float(field.room_A(xy_A[None], diameter_A)[0])
        centres = [np.array([*xy_A, room_A * generator.uniform(-1, 1)])]
        azimuth = generator.uniform(0, 2 * np.pi)
        for _ in range(self.length - 1):
            for _ in range(_TRIES):
                heading = azimuth + np.deg2rad(self.bend_deg) * generator.standard_normal()
                step_A = diameter_A * max(
                    1.0, self.spacing + self.spacing_sd * generator.standard_normal()
                )
                slope = np.deg2rad(self.bend_deg) * generator.standard_normal() / 2
                step = np.array([np.cos(heading), np.sin(heading), np.sin(slope)])
                following = centres[-1] + step_A * step / np.linalg.norm(step)
                room_A = float(field.room_A(following[None, :2], diameter_A)[0])
                apart = np.linalg.norm(np.array(centres) - following, axis=1).min()
                inner = inside(following[None, :2], field)[0] and abs(following[2]) <= room_A
                if inner and apart >= diameter_A:
                    break
            else:
                break
            centres.append(following)
            azimuth = heading
        return np.array(centres)
