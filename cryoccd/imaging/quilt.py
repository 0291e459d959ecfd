"""A field sewn from patches, so that variance and spectrum stay those of the patches.

Patches lie on a grid of half their size under windows whose squares sum to one (sine windows), so
independent patches of variance v give variance v everywhere and no seam.
"""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


def free_patches(image: Tensor, mask: Tensor, patch_px: int) -> Tensor:
    """All (n, p, p) patches on a grid of half a patch that lie wholly where the mask is true."""
    if min(image.shape) < patch_px:
        return image.new_zeros(0, patch_px, patch_px)
    step = patch_px // 2
    patches = image.unfold(0, patch_px, step).unfold(1, patch_px, step)
    free = mask.unfold(0, patch_px, step).unfold(1, patch_px, step).all(-1).all(-1)
    return patches[free]


def quilt(patches: Tensor, shape_px: tuple[int, int], generator: torch.Generator) -> Tensor:
    """A (h, w) field of random patches, each flipped or not along either axis.

    Args:
        patches: (n, p, p), p even, mean near 0.
        shape_px: size of the field.
        generator: chooses and flips.
    """
    n, side = int(patches.shape[0]), int(patches.shape[-1])
    if n == 0 or side % 2:
        raise CryoccdError(f"quilt: {n} patches of {side} px, expected at least one of even size")
    height, width = shape_px
    step = side // 2
    rows, columns = -(-height // step) + 1, -(-width // step) + 1
    field = torch.zeros((rows + 1) * step, (columns + 1) * step)
    ramp = torch.sin(torch.pi * (torch.arange(side) + 0.5) / side)
    window = ramp[:, None] * ramp[None, :]
    chosen = torch.randint(n, (rows, columns), generator=generator)
    flips = torch.randint(2, (rows, columns, 2), generator=generator).bool()
    for i in range(rows):
        for j in range(columns):
            axes = [axis for axis in (0, 1) if flips[i, j, axis]]
            patch = patches[chosen[i, j]].flip(axes) * window
            field[i * step : i * step + side, j * step : j * step + side] += patch
    return field[step : step + height, step : step + width]
