"""Sums of central slices averaged over a point group.

As if each image had been put in from all the views that the group holds equal, for a few
interpolations of a grid in place of as many insertions of every image.
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def symmetrised(half: Tensor, operators: Tensor) -> Tensor:
    """(c, s, s, s // 2 + 1) complex, F(k) averaged over F(g k), interpolated linearly.

    Args:
        half: (c, s, s, s // 2 + 1) complex, axes z, y, x, spectra of real volumes: z and y run
            from -s / 2, x from 0.
        operators: (m, 3, 3) rotations g of x, y, z, identity first.
    """
    channels, side = len(half), half.shape[1]
    planes = torch.cat([half.real, half.imag])[None]
    across = torch.arange(side).float() - side // 2
    z, y, x = torch.meshgrid(across, across, torch.arange(side // 2 + 1).float(), indexing="ij")
    places = torch.stack([x, y, z], dim=-1)
    total = half.clone()
    for operator in operators[1:].float():
        turned = places @ operator.T
        mirrored = turned[..., 0] < 0  # the other half holds the conjugates
        turned = torch.where(mirrored[..., None], -turned, turned)
        turned = turned + torch.tensor([0, side // 2, side // 2])
        scale = 2 / torch.tensor([side // 2, side - 1, side - 1])
        found = grid_sample(planes, (turned * scale - 1)[None], align_corners=True)[0]
        real, imaginary = found[:channels], found[channels:]
        total += torch.complex(real, torch.where(mirrored, -imaginary, imaginary))
    return total / len(operators)
