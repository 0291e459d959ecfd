"""What a classifier of boxes says of a set of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


@dataclass(frozen=True, eq=False)
class Readings:
    """One row a box, in the order of the set.

    Args:
        features: (n, d) float32 of its last layer but one.
        probabilities: (n, c) float32 of the classes.

    Raises:
        CryoccdError: other shapes, or values that are not finite.
    """

    features: Tensor
    probabilities: Tensor

    def __post_init__(self) -> None:
        shapes = [tuple(self.features.shape), tuple(self.probabilities.shape)]
        if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
            raise CryoccdError(
                f"readings: features {shapes[0]}, probabilities {shapes[1]}, expected (n, d) and "
                "(n, c)"
            )
        if not all(bool(torch.isfinite(x).all()) for x in (self.features, self.probabilities)):
            raise CryoccdError("readings: NaN or infinity, expected finite features")

    def __len__(self) -> int:
        return len(self.features)

    def take(self, chosen: Tensor) -> "Readings":
        """Those of some boxes."""
        return Readings(self.features[chosen], self.probabilities[chosen])
