"""What the contrasts of feature pyramids share: how many points, and how sharply they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from cryoccd.errors import CryoccdError

Head = Callable[[Sequence[Tensor]], list[Tensor]]
"""Unit vectors (b, n, d) of samples (b, n, c) of each level."""


@dataclass(frozen=True)
class Contrast:
    """Settings of a contrastive loss.

    Args:
        n_points: points sampled from each image, or from each class of its mask.
        temperature: τ.

    Raises:
        CryoccdError: no point, or a temperature that is not above 0.
    """

    n_points: int = 256
    temperature: float = 0.07

    def __post_init__(self) -> None:
        if self.n_points < 1 or not self.temperature > 0:
            raise CryoccdError(
                f"contrast: n_points = {self.n_points}, temperature = {self.temperature}; expected "
                "1 or more, and above 0"
            )
