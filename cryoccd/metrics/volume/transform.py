"""The Fourier transform of a volume at any frequency.

The volume is padded to twice its side and its transform read linearly, as in the gridding of
Jackson et al. 1991 (IEEE Trans Med Imaging 10, 473): linear reading multiplies the volume by
sinc^2 of the place over the padded side, which it is divided by before.
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

_PADDING = 2


class Transform:
    """Transform of one volume with its origin at voxel n // 2.

    Args:
        values: (n, n, n), axes z, y, x.
        voxel_size_A: angstrom a voxel.
    """

    def __init__(self, values: Tensor, voxel_size_A: float) -> None:
        side = int(values.shape[-1])
        padded = _PADDING * side
        fall = torch.sinc((torch.arange(side) - side // 2) / padded).square()
        values = values.float() / (fall[:, None, None] * fall[:, None] * fall)
        before = padded // 2 - side // 2
        centred = torch.fft.ifftshift(pad(values, (before, padded - side - before) * 3))
        spectrum = torch.fft.fftshift(torch.fft.fftn(centred))
        self._parts = torch.stack([spectrum.real, spectrum.imag])[None]
        self._scale = 2 * padded * voxel_size_A / (padded - 1)
        self._middle = 2 * (padded // 2) / (padded - 1) - 1

    def at(self, k_per_A: Tensor) -> Tensor:
        """(m,) complex64 values at (m, 3) frequencies x, y, z in 1/A below Nyquist."""
        places = (k_per_A.float() * self._scale + self._middle)[None, :, None, None]
        found = grid_sample(self._parts, places, align_corners=True)[0, :, :, 0, 0]
        return torch.complex(found[0].contiguous(), found[1].contiguous())


def sphere_of(side: int, voxel_size_A: float, finest_A: float) -> Tensor:
    """(m, 3) int64 places x, y, z, in the transform of a box, of one of each pair k and -k.

    Args:
        side: of the box in voxels.
        voxel_size_A: angstrom a voxel.
        finest_A: the finest detail that counts; the mean does not.

    Returns:
        Whole numbers of cycles a box; `/ (side * voxel_size_A)` makes them 1/A.
    """
    reach = int(side * voxel_size_A / finest_A)
    axis = torch.arange(-reach, reach + 1)
    z, y, x = (each.flatten() for each in torch.meshgrid(axis, axis, axis, indexing="ij"))
    cycles = torch.stack([x, y, z], dim=1)
    one_of_two = (z > 0) | ((z == 0) & ((y > 0) | ((y == 0) & (x > 0))))
    within = cycles.float().norm(dim=1) <= side * voxel_size_A / finest_A
    return cycles[one_of_two & within]


def covered(k: Tensor, tilt_limit_deg: float) -> Tensor:
    """(...) whether a tilt series about y saw the (..., 3) frequencies x, y, z."""
    tilt_deg = torch.rad2deg(torch.atan2(k[..., 2].abs(), k[..., 0].abs()))
    return tilt_deg <= tilt_limit_deg
