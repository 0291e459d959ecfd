"""Resolution of a map: against the truth at FSC 0.5, and of its halves at 0.143.

The halves agree at 0.143 where the map agrees with the truth at about 0.5 (Rosenthal & Henderson
2003, J Mol Biol 333, 721) if the poses are right. If they are wrong in both halves alike, the
halves agree all the same: on a compact particle the half-map figure hardly notices random poses. It
is worth reading only beside a row with random poses; the map-to-truth figure is the verdict.

Both maps are multiplied by one soft mask. The edge is a raised cosine of a few voxels, as a sharp
one correlates the maps by itself.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.verify.shells import Curve, shell_correlation

TRUTH_THRESHOLD = 0.5
HALF_MAP_THRESHOLD = 0.143


@dataclass(frozen=True)
class Resolution:
    """Curves of a map.

    Args:
        truth: FSC of the map and the true one.
        halves: FSC of its half-maps; None without them.
    """

    truth: Curve
    halves: Curve | None

    @property
    def truth_A(self) -> float:
        """Where the FSC against the truth first falls below 0.5, in angstrom."""
        return self.truth.resolution_A(TRUTH_THRESHOLD)

    @property
    def half_map_A(self) -> float | None:
        """Where the FSC of the halves first falls below 0.143, in angstrom."""
        return None if self.halves is None else self.halves.resolution_A(HALF_MAP_THRESHOLD)


def resolution(
    volume: Tensor,
    truth: Tensor,
    voxel_size_A: float,
    mask: Tensor | None = None,
    halves: tuple[Tensor, Tensor] | None = None,
) -> Resolution:
    """FSC against the truth and of the halves.

    Args:
        volume: (n, n, n) map in the frame, of the hand and with the sign of `truth`: nothing is
            turned here.
        truth: (n, n, n).
        voxel_size_A: of all.
        mask: (n, n, n) in [0, 1] that multiplies all; none by default.
        halves: half-maps of `volume`.

    Raises:
        CryoccdError: shapes that differ.
    """
    others = [truth] + ([] if mask is None else [mask]) + list(halves or ())
    if any(other.shape != volume.shape for other in others):
        shapes = ", ".join(str(tuple(other.shape)) for other in others)
        raise CryoccdError(f"resolution: map {tuple(volume.shape)} beside {shapes}, expected equal")
    weight = torch.ones_like(volume) if mask is None else mask

    def curve(a: Tensor, b: Tensor) -> Curve:
        return Curve(shell_correlation(a * weight, b * weight), voxel_size_A)

    return Resolution(curve(volume, truth), None if halves is None else curve(*halves))


def sphere_mask(box_px: int, radius_px: float, edge_px: float = 3.0) -> Tensor:
    """(n, n, n) float32 soft ball about voxel n // 2: 1 up to the radius, 0 from an edge beyond."""
    axis = torch.arange(box_px, dtype=torch.float64) - box_px // 2
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    return _soft(radius - radius_px, edge_px)


def structure_mask(
    truth: Tensor, level: float = 0.1, reach_px: float = 3.0, edge_px: float = 3.0
) -> Tensor:
    """Soft mask about the matter of a map.

    Args:
        truth: (n, n, n) map, matter positive.
        level: of matter, a part of the largest value.
        reach_px: voxels that the mask keeps beyond it.
        edge_px: width of the edge beyond that.

    Returns:
        (n, n, n) float32 in [0, 1].

    Raises:
        CryoccdError: a map without matter above the level.
    """
    matter = (truth > level * truth.max()).numpy()
    if not matter.any():
        raise CryoccdError(
            f"structure mask: no voxel above {level} of the largest, {float(truth.max()):g}; "
            "expected matter to be positive"
        )
    away = distance_transform_edt(~matter)
    return _soft(torch.from_numpy(np.asarray(away, dtype=np.float64)) - reach_px, edge_px)


def _soft(beyond_px: Tensor, edge_px: float) -> Tensor:
    """A raised cosine of the distance beyond the border."""
    phase = (beyond_px / edge_px).clamp(0, 1) * torch.pi
    return ((1 + phase.cos()) / 2).float()
