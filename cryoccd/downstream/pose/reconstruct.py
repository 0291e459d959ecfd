"""The map and the half-maps that particle images give with estimated poses.

Every image is put into Fourier space as a central slice at its pose, moved by its shift and
weighted by its transfer (verify/micrographs/reconstruct.py). The halves hold half of the particles
each; which one a particle is in follows from its name alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.randomness import item_seed
from cryoccd.verify.micrographs.reconstruct import Reconstruction

Transfer = Callable[[Tensor], Tensor]
"""(m, 2 b, b + 1) transfer functions, in the layout of torch.fft.rfft2, of m particle indices."""

_AT_ONCE = 100


@dataclass(frozen=True)
class Maps:
    """Maps (b, b, b), axes z, y, x, origin at voxel b // 2.

    Args:
        full: of all particles.
        halves: of the particles of either half.
    """

    full: Tensor
    halves: tuple[Tensor, Tensor]


def first_half(names: Sequence[str], seed: int = 0) -> Tensor:
    """(n,) boolean, true for about half of the particles, by their names."""
    return torch.tensor([item_seed(seed, "half", name) % 2 == 0 for name in names])


def reconstruct(
    images: Tensor, rotations: Tensor, shifts_px: Tensor, transfer: Transfer, first: Tensor
) -> Maps:
    """Maps by Fourier insertion.

    Args:
        images: (n, b, b) particles as the transfer leaves them of a map whose matter is positive:
            micrographs are dark on light, so minus those less their background.
        rotations: (n, 3, 3) object to view.
        shifts_px: (n, 2) x, y of each particle from pixel [b // 2, b // 2].
        transfer: of the particles with these indices.
        first: (n,) boolean, which half each is in (`first_half`).

    Raises:
        CryoccdError: not as many of each, or a half without particles.
    """
    n, box_px = len(images), int(images.shape[-1])
    if not n == len(rotations) == len(shifts_px) == len(first):
        raise CryoccdError(
            f"reconstruction: {n} images, {len(rotations)} rotations, {len(shifts_px)} shifts, "
            f"{len(first)} halves, expected as many of each"
        )
    if not 0 < int(first.sum()) < n:
        raise CryoccdError(f"reconstruction: all {n} particles in one half, expected two halves")
    eulers_deg = matrix_to_euler(rotations.double())
    halves = Reconstruction(box_px), Reconstruction(box_px)
    for half, members in zip(halves, (first, ~first), strict=True):
        for index in torch.split(members.nonzero().squeeze(1), _AT_ONCE):
            half.add(images[index], eulers_deg[index], shifts_px[index].double(), transfer(index))
    one, two = halves
    return Maps(_Both(one, two).volume(), (one.volume(), two.volume()))


class _Both(Reconstruction):
    """Of the particles of two: both sums are linear."""

    def __init__(self, one: Reconstruction, two: Reconstruction) -> None:
        super().__init__(one.box_px)
        self._sums = one._sums + two._sums
