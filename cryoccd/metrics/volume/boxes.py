"""A set of boxes of tomograms as the figures see them, real or generated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.errors import CryoccdError

_STANDARD = 1e-2  # of a deviation: half precision and rounding of a file


@dataclass(frozen=True, eq=False)
class BoxSet:
    """Boxes with the class of the particle in their middle, voxel b // 2; axes z, y, x.

    Args:
        volumes: (n, b, b, b) float32, b even, each at mean 0 and deviation 1 (`standardised`).
        labels: (n,) int64, places in `classes`.
        groups: (n,) names of what intervals are over: the tomogram of a real box, the number of
            the sample of a generated one.
        voxel_size_A: angstrom a voxel.
        classes: their names.
        densities: (n, b, b, b) noise-free density of what is in the boxes; None where unknown.

    Raises:
        CryoccdError: no boxes, other shapes, a label without class, or boxes that are not finite
            or not standardised.
    """

    volumes: Tensor
    labels: Tensor
    groups: NDArray[np.str_]
    voxel_size_A: float
    classes: tuple[str, ...]
    densities: Tensor | None = None

    def __post_init__(self) -> None:
        shape, n = tuple(self.volumes.shape), len(self.volumes)
        if n == 0 or len(shape) != 4 or len(set(shape[1:])) != 1 or shape[1] % 2:
            raise CryoccdError(f"boxes: shape {shape}, expected (n, b, b, b) with an even side b")
        if tuple(self.labels.shape) != (n,) or self.groups.shape != (n,):
            raise CryoccdError(
                f"boxes: {tuple(self.labels.shape)} labels and {self.groups.shape} groups of {n} "
                "boxes, expected one a box"
            )
        if self.densities is not None and self.densities.shape != self.volumes.shape:
            raise CryoccdError(f"boxes: densities {tuple(self.densities.shape)}, expected {shape}")
        if not self.voxel_size_A > 0:
            raise CryoccdError(f"boxes: voxel_size_A = {self.voxel_size_A}, expected above 0 (A)")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.classes):
            raise CryoccdError(
                f"boxes: labels from {low} to {high}, expected 0 to {len(self.classes) - 1}, one "
                "a class"
            )
        flat = self.volumes.flatten(1)
        off = torch.maximum(flat.mean(1).abs(), (flat.std(1, correction=0) - 1).abs())
        if not bool((off < _STANDARD).all()):
            worst = int(off.nan_to_num(torch.inf).argmax())
            raise CryoccdError(
                f"boxes: box {worst} has mean {float(flat[worst].mean()):.3g} and deviation "
                f"{float(flat[worst].std(correction=0)):.3g}, expected 0 and 1; standardise it"
            )

    def __len__(self) -> int:
        return len(self.volumes)

    @property
    def box_px(self) -> int:
        """Edge of the boxes in voxels."""
        return int(self.volumes.shape[-1])

    @property
    def occurring(self) -> list[int]:
        """Labels that occur, ascending."""
        return sorted(set(self.labels.tolist()))

    def take(self, chosen: Tensor | Sequence[int]) -> "BoxSet":
        """Some of the boxes, in the order given."""
        rows = torch.as_tensor(chosen, dtype=torch.int64)
        densities = None if self.densities is None else self.densities[rows]
        return replace(
            self,
            volumes=self.volumes[rows],
            labels=self.labels[rows],
            groups=self.groups[rows.numpy()],
            densities=densities,
        )


def standardised(volumes: Tensor) -> Tensor:
    """(n, b, b, b) float32 boxes at mean 0 and deviation 1.

    Raises:
        CryoccdError: one without any variation.
    """
    values = volumes.double()
    axes = (1, 2, 3)
    deviation = values.std(axes, correction=0, keepdim=True)
    if not bool((deviation > 0).all()):
        first = int((deviation.flatten() <= 0).nonzero()[0])
        raise CryoccdError(f"boxes: box {first} is constant, expected values that vary")
    return ((values - values.mean(axes, keepdim=True)) / deviation).float()
