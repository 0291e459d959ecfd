"""Aligned boxes of a class in the frame of its map, their average and its FSC with the map.

With the poses (A_i, s_i) of `alignment` and W_i = 1 where the tilt series of box i saw A_i k, else
0, the average in the frame of the map is

    V(k) = sum_i W_i F_i(A_i k) exp(2 pi i A_i k s_i) / sum_i W_i ,

and its FSC with the map counts the frequencies that any box covers.
"""

from dataclasses import dataclass
from math import ceil, nan, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.metrics.volume.alignment import ALIGNED_TO_A, align
from cryoccd.metrics.volume.transform import Transform, covered, sphere_of
from cryoccd.records import Volume

SCORED_TO_A = 30.0
"""Finest detail that is scored, by default: at a defocus of 4 um the CTF is 0 first at 28 A."""

LARGEST = 0.9
"""Of Nyquist: what is finer is not looked at."""

_GUARD = 1.0  # cycles a box


@dataclass(frozen=True, eq=False)
class AlignedClass:
    """Aligned boxes in the frame of their map; what an average is made of.

    Args:
        values: (n, m) complex64 transforms of the boxes, 0 where they are not covered.
        weights: (n, m) float32, 1 where they are covered.
        reference: (m,) complex64 transform of the map.
        radius: (m,) cycles a box of the frequencies.
        edge_A: of the boxes.
        aligned_to_A: the finest detail that had a say in the alignment.
    """

    values: Tensor
    weights: Tensor
    reference: Tensor
    radius: Tensor
    edge_A: float
    aligned_to_A: float

    def curve(self, rows: Tensor) -> NDArray[np.float64]:
        """(shells,) FSC of the average of some boxes; shell i is i cycles a box, 0 is NaN."""
        weight = self.weights[rows].sum(0)
        average = self.values[rows].sum(0) / weight.clamp_min(1)
        counted = (weight > 0).double()
        shell = self.radius.round().long()

        def shells(values: Tensor) -> Tensor:
            return torch.bincount(shell, values.double() * counted)

        product = shells((average * self.reference.conj()).real)
        powers = shells(average.abs().square()) * shells(self.reference.abs().square())
        return np.asarray((product / powers.sqrt()).numpy(), np.float64)

    def beyond(self, rows: Tensor, finest_A: float = SCORED_TO_A) -> float:
        """Mean FSC over the shells that are scored; NaN where there are none."""
        scored = self.curve(rows)[scored_shells(self.edge_A, self.aligned_to_A, finest_A)]
        return float(scored.mean()) if len(scored) else nan

    def resolution_A(self, rows: Tensor, threshold: float = 0.5) -> float:
        """The last shell before the FSC falls below; NaN where the first one scored is below."""
        curve, first = self.curve(rows), ceil(self.edge_A / self.aligned_to_A + _GUARD)
        below = np.flatnonzero(~(curve[first:] >= threshold))
        last = first + (int(below[0]) if len(below) else len(curve) - first) - 1
        return self.edge_A / last if last >= first else nan


def scored_shells(edge_A: float, aligned_to_A: float, finest_A: float) -> slice:
    """Shells of boxes of an edge that alignment knows nothing of; may be none."""
    return slice(ceil(edge_A / aligned_to_A + _GUARD), int(edge_A / finest_A) + 1)


def aligned_class(
    volumes: Tensor,
    reference: Volume,
    voxel_size_A: float,
    tilt_limit_deg: float = 60.0,
    dark: bool = True,
    aligned_to_A: float = ALIGNED_TO_A,
) -> AlignedClass:
    """Align boxes of one class to its map and bring them into its frame.

    Args:
        volumes: (n, b, b, b).
        reference: the map, matter positive.
        voxel_size_A: of the boxes.
        tilt_limit_deg: highest tilt, about y.
        dark: whether matter is dark in the boxes.
        aligned_to_A: the finest detail that has a say in the alignment.
    """
    side = int(volumes.shape[-1])
    found = align(volumes, reference, voxel_size_A, tilt_limit_deg, dark, aligned_to_A)
    cycles = sphere_of(side, voxel_size_A, 2 * voxel_size_A / LARGEST)
    k_px = cycles.double() / side
    values, weights = [], []
    for volume, rotation, shift_px in zip(volumes, found.rotations, found.shifts_px, strict=True):
        turned = k_px @ rotation.T
        phase = 2 * pi * (turned @ shift_px)
        ramp = torch.polar(torch.ones_like(phase), phase).to(torch.complex64)
        weight = covered(turned, tilt_limit_deg).float()
        values.append(Transform(volume, 1.0).at(turned) * ramp * weight * (-1 if dark else 1))
        weights.append(weight)
    truth = Transform(reference.values, reference.voxel_size_A).at(k_px / voxel_size_A)
    radius = cycles.double().norm(dim=1)
    edge_A = side * voxel_size_A
    return AlignedClass(
        torch.stack(values), torch.stack(weights), truth, radius, edge_A, aligned_to_A
    )
