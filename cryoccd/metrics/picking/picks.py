"""What a picker says of one micrograph: positions and scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError


@dataclass(frozen=True, eq=False)
class Picks:
    """Picks of one micrograph, in any order.

    Args:
        positions_px: (n, 2) float64 x, y in pixels from the centre of pixel [0, 0].
        scores: (n,) float64, larger is surer, on one scale for all micrographs; may be -inf.

    Raises:
        CryoccdError: other shapes, a position that is not finite, or a score that is NaN.
    """

    positions_px: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        require_positions("picks: positions_px", self.positions_px)
        expected = (len(self.positions_px),)
        if self.scores.shape != expected:
            raise CryoccdError(
                f"picks: scores of shape {self.scores.shape}, expected {expected}, one a position"
            )
        if np.isnan(self.scores).any():
            row = int(np.flatnonzero(np.isnan(self.scores))[0])
            raise CryoccdError(
                f"picks: score {row} is nan, expected a number; -inf is for the least sure"
            )


def require_positions(name: str, positions_px: NDArray[np.float64]) -> None:
    """Refuse what is not (n, 2) finite positions.

    Raises:
        CryoccdError: it names the array, and its shape or its first bad row.
    """
    if positions_px.ndim != 2 or positions_px.shape[1] != 2:
        raise CryoccdError(f"{name} of shape {positions_px.shape}, expected (n, 2): x, y in pixels")
    finite = np.isfinite(positions_px).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise CryoccdError(
            f"{name}: row {row} is {positions_px[row].tolist()}, expected finite x, y in pixels"
        )
