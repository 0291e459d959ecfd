"""A tomogram from a tilt series by weighted back-projection (Radermacher 1988).

A view at turn R shows a point r of the specimen at the first two entries of R r from the centre.
With the ramp |k . n|, n being the direction in the image perpendicular to the tilt axis,

    V(r) = sum_t delta_t F^-1[|k . n| F[view_t]]((R_t r)_xy)

over angles t that stand for delta_t radians each. Over half a turn that is the inverse of the Radon
transform, in absolute units: views in V A give V. Over less, the transform of V is empty in the
missing wedge and right outside it. Bilinear interpolation, on views sampled twice as fine.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError, check_within
from cryoccd.fourier import fourier_crop, frequency_grid
from cryoccd.imaging.tilt import Matrix, centre_px, tilt_matrix

_FINE = 2


def back_project(
    views: Tensor,
    angles_deg: Sequence[float],
    axis_deg: float,
    pixel_size_A: float,
    thickness_A: float,
    binning: int = 1,
) -> Tensor:
    """The tomogram of a tilt series.

    Args:
        views: (t, h, w) images with their background at 0; what is outside them counts as 0.
        angles_deg: tilt of each, in any order.
        axis_deg: tilt axis in the images, counted from x towards y.
        pixel_size_A: of the images.
        thickness_A: height of the tomogram.
        binning: voxel size in pixels of the images.

    Returns:
        (d, h // binning, w // binning) float32 with axes z, y, x: voxel [k, j, i] lies at
        x = i, y = j, z = k - d // 2 voxels in the frame of the scene at tilt 0.

    Raises:
        CryoccdError: views and angles that do not match, fewer than two, or a bad value.
    """
    if views.ndim != 3 or len(views) != len(angles_deg) or len(set(angles_deg)) != len(angles_deg):
        raise CryoccdError(
            f"tomogram: views {tuple(views.shape)} with {len(angles_deg)} angles, expected "
            "(t, h, w) and t different angles"
        )
    if len(views) < 2:
        raise CryoccdError(f"tomogram: {len(views)} views, expected 2 or more")
    check_within("tomogram: binning", binning, 1, 64, "pixels a voxel")
    voxel_A = pixel_size_A * binning
    check_within("tomogram: thickness_A", thickness_A, voxel_A, 1e5, "angstrom, above a voxel")
    shape_px = int(views.shape[-2]), int(views.shape[-1])
    centre = torch.from_numpy(centre_px(shape_px) / binning).float()
    binned = fourier_crop(views.float(), binning)
    depth = 2 * ceil(thickness_A / voxel_A / 2)
    height, width = int(binned.shape[-2]), int(binned.shape[-1])
    tomogram = torch.zeros(depth, height, width)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    plane = torch.stack([columns, rows], dim=-1) - centre[:2]
    shares = angular_shares_rad(angles_deg)
    for view, angle_deg, share in zip(binned, angles_deg, shares, strict=True):
        fine = _ramped(view, axis_deg, voxel_A) * float(share)
        turn = torch.from_numpy(tilt_matrix(angle_deg, axis_deg)).float()
        in_plane = plane @ turn[:2, :2].T + centre[:2]
        for level in range(depth):
            tomogram[level] += _sampled(fine, in_plane + (level - depth // 2) * turn[:2, 2])
    return tomogram


def angular_shares_rad(angles_deg: Sequence[float]) -> Matrix:
    """(t,) angle that each tilt stands for: to half-way to its neighbours, at the ends twice."""
    angles = np.deg2rad(np.asarray(angles_deg, dtype=np.float64))
    order = np.argsort(angles)
    gaps = np.diff(angles[order])
    shares = np.empty(len(angles))
    shares[order] = (np.append(gaps[0], gaps) + np.append(gaps, gaps[-1])) / 2
    return shares


def _ramped(view: Tensor, axis_deg: float, pixel_size_A: float) -> Tensor:
    """The (h, w) view weighted by the ramp, at half the pixel size."""
    height, width = view.shape
    padded = [2 * next_fast_len(side, real=True) for side in (height, width)]
    k_y, k_x = frequency_grid((padded[0], padded[1]), pixel_size_A, rfft=True)
    axis_rad = np.deg2rad(axis_deg)
    ramp = (k_y * float(np.cos(axis_rad)) - k_x * float(np.sin(axis_rad))).abs()
    # the line of zeros holds the mean of the ramp over its cell: the field is of finite size
    cell_per_A = 1 / (max(padded) * pixel_size_A)
    spectrum = torch.fft.rfft2(view, s=padded) * ramp.clamp(min=cell_per_A / 4)
    half = padded[0] // 2
    fine = torch.zeros(_FINE * padded[0], padded[1] // 2 * _FINE + 1, dtype=spectrum.dtype)
    fine[:half, : padded[1] // 2] = spectrum[:half, :-1]
    fine[-half + 1 :, : padded[1] // 2] = spectrum[half + 1 :, :-1]
    image: Tensor = torch.fft.irfft2(fine, s=[_FINE * side for side in padded]) * _FINE**2
    return image[: _FINE * (height - 1) + 1, : _FINE * (width - 1) + 1]


def _sampled(fine: Tensor, xy_px: Tensor) -> Tensor:
    """(h, w) bilinear samples of a view at (h, w, 2) points x, y in pixels; 0 outside."""
    size = torch.tensor([fine.shape[1] - 1, fine.shape[0] - 1])
    grid = 2 * _FINE * xy_px / size - 1
    sampled: Tensor = torch.nn.functional.grid_sample(
        fine[None, None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )
    return sampled[0, 0]
