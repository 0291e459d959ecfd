"""The map and the half-maps that particle images give with estimated poses.

Every image is put into Fourier space as a central slice at its pose, moved by its shift and
weighted by its transfer (verify/micrographs/reconstruct.py).

The halves are half of the micrographs each. Picks that overlap share pixels, and one particle
that was picked twice would stand in both halves of a split by particles; such halves agree on
noise. With fewer than 8 micrographs the split is by particles all the same, as halves of few
micrographs differ in size and defocus.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.randomness import item_seed
from cryoccd.specimen.symmetry import point_group
from cryoccd.verify.micrographs.reconstruct import Reconstruction

Transfer = Callable[[Tensor], Tensor]
"""(m, 2 b, b + 1) transfer functions, in the layout of torch.fft.rfft2, of m particle indices."""

_AT_ONCE = 100
FEWEST_MICROGRAPHS = 8


@dataclass(frozen=True)
class Maps:
    """Maps (b, b, b), axes z, y, x, origin at voxel b // 2.

    Args:
        full: of all particles.
        halves: of the particles of either half.
    """

    full: Tensor
    halves: tuple[Tensor, Tensor]


def first_half(micrographs: tuple[str, ...], seed: int = 0) -> tuple[Tensor, str]:
    """(n,) boolean, true for the particles of one half, and what the halves are halves of."""
    names = sorted(set(micrographs), key=lambda name: item_seed(seed, "half", name))
    if len(names) >= FEWEST_MICROGRAPHS:
        chosen = set(names[: len(names) // 2])
        return torch.tensor([name in chosen for name in micrographs]), "micrographs"
    keys = torch.tensor([item_seed(seed, "half", row) for row in range(len(micrographs))])
    return keys.argsort().argsort() < len(micrographs) // 2, "particles"


def reconstruct(
    images: Tensor,
    rotations: Tensor,
    shifts_px: Tensor,
    transfer: Transfer,
    first: Tensor,
    symmetry: str = "C1",
) -> Maps:
    """Maps by Fourier insertion.

    Args:
        images: (n, b, b) particles as the transfer leaves them of a map whose matter is positive:
            micrographs are dark on light, so minus those less their background.
        rotations: (n, 3, 3) object to view.
        shifts_px: (n, 2) x, y of each particle from pixel [b // 2, b // 2].
        transfer: of the particles with these indices.
        first: (n,) boolean, which half each is in (`first_half`).
        symmetry: point group in whose equal views every image is put in.

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
    operators = torch.from_numpy(point_group(symmetry))
    halves = Reconstruction(box_px), Reconstruction(box_px)
    for half, members in zip(halves, (first, ~first), strict=True):
        for index in torch.split(members.nonzero().squeeze(1), _AT_ONCE):
            half.add(images[index], eulers_deg[index], shifts_px[index].double(), transfer(index))
    one, two = (half.symmetrised(operators) if len(operators) > 1 else half for half in halves)
    return Maps((one + two).volume(), (one.volume(), two.volume()))
