"""Heat maps of a whole tomogram, put together of windows.

A window is read with REACH_VOXELS more on each side, so that what lies beyond changes none of its
cells; where the tomogram ends, the window ends. The windows decide how much memory is taken and
change the heat by no more than rounding.
"""

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor

from cryoccd.downstream.detection.network import ALIGN, REACH_VOXELS, STRIDE
from cryoccd.downstream.detection.scaled import ScaledTomogram


def heat_of(
    network: Callable[[Tensor], Tensor],
    tomogram: ScaledTomogram,
    window_voxels: int,
    device: torch.device,
) -> Tensor:
    """(classes, z, y, x) logits of the cells of a tomogram, on the CPU.

    Args:
        network: from (1, d, h, w) values to (1, classes, d/2, h/2, w/2) logits.
        tomogram: any shape; sides are filled with 0 to a multiple of ALIGN at their ends.
        window_voxels: side of a window without what is read about it, a multiple of ALIGN.
        device: of the network.
    """
    sizes = [-(-side // ALIGN) * ALIGN for side in tomogram.shape]
    heat = None
    for spans in product(*(_spans(size, window_voxels) for size in sizes)):
        low = [max(first - REACH_VOXELS, 0) for first, _ in spans]
        high = [min(end + REACH_VOXELS, size) for (_, end), size in zip(spans, sizes, strict=True)]
        z, y, x = low
        d, h, w = (b - a for a, b in zip(low, high, strict=True))
        values = torch.from_numpy(tomogram.block((z, y, x), (d, h, w)))
        found = network(values[None].to(device))[0].cpu()
        if heat is None:
            heat = torch.empty(len(found), *(size // STRIDE for size in sizes))
        inner = [
            slice((first - a) // STRIDE, (end - a) // STRIDE)
            for (first, end), a in zip(spans, low, strict=True)
        ]
        outer = [slice(first // STRIDE, end // STRIDE) for first, end in spans]
        heat[:, outer[0], outer[1], outer[2]] = found[:, inner[0], inner[1], inner[2]]
    assert heat is not None  # a tomogram has a voxel
    depth, height, width = (-(-side // STRIDE) for side in tomogram.shape)
    return heat[:, :depth, :height, :width]


def _spans(size: int, window: int) -> Iterator[tuple[int, int]]:
    """First voxel and end of windows as even as ALIGN allows."""
    count = -(-size // window)
    each = -(-size // (count * ALIGN)) * ALIGN
    for first in range(0, size, each):
        yield first, min(first + each, size)
