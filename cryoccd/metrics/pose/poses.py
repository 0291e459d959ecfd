"""Poses of particles: where the object points in each image, and where it lies."""

from dataclasses import dataclass

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.errors import check_rotations
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class Poses:
    """Poses of n particles.

    Args:
        rotations: (n, 3, 3), object to view (geometry.py).
        shifts_A: (n, 2) x, y of the object's origin from the centre of its image, in angstrom;
            None where not known.
    """

    rotations: Tensor
    shifts_A: Tensor | None = None

    def __post_init__(self) -> None:
        check_rotations("poses", self.rotations)
        if self.shifts_A is None:
            return
        if self.shifts_A.shape != (len(self), 2):
            raise CryoccdError(
                f"poses: shifts of shape {tuple(self.shifts_A.shape)}, expected ({len(self)}, 2)"
            )
        if not bool(torch.isfinite(self.shifts_A).all()):
            raise CryoccdError("poses: shifts hold NaN or infinity, expected angstrom")

    def __len__(self) -> int:
        return len(self.rotations)

    def __getitem__(self, index: Tensor) -> "Poses":
        """Those with these indices."""
        shifts_A = None if self.shifts_A is None else self.shifts_A[index]
        return Poses(self.rotations[index], shifts_A)


def random_rotations(count: int, seed: int) -> Tensor:
    """(n, 3, 3) float64 uniform rotations."""
    drawn = Rotation.random(count, rng=item_seed(seed, "random poses")).as_matrix()
    return torch.from_numpy(drawn.reshape(count, 3, 3))
