"""The encoder from an image to a rotation and a shift, which turns with the image.

A turn of the image by phi turns its pose: with r1, r2 the first rows of A, the axes of the image
seen from the object, r1 + i r2 goes to exp(i phi) (r1 + i r2), as does the shift s_x + i s_y. In
polar coordinates the turn is a cyclic shift along the angle, which convolutions with cyclic padding
commute with. So the image is sampled on rings, convolved to features at the angles phi_k, and

    v = sum_k h_k exp(i phi_k) in C^3 ,      s = sum_k g_k exp(i phi_k) in C ,

which turn as they must whatever is learnt: one of the three dimensions of the poses needs no
examples. Pooling keeps this exact for multiples of its step, 30 degrees with 96 angles, and near
between.

The six numbers a = Re v, b = Im v become a rotation by the orthonormal pair nearest to them,

    (r1, r2) = (a, b) S^(-1/2) ,   S = (a, b)^T (a, b) ,   r3 = r1 x r2 ,

a map that is continuous, as none from three or four numbers is (Zhou, Barnes, Lu, Yang & Li, CVPR
2019, section 4.1). They take Gram and Schmidt's pair; the symmetric one favours neither vector
(Levinson et al., NeurIPS 2020) and so commutes with the turn.
"""

from math import pi

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, pad, silu

_POOLING = 8  # of the angles
_LEAST_AREA = 1e-8


def rotation_from_six(six: Tensor) -> Tensor:
    """(..., 3, 3) rotations of (..., 6) numbers; the rows are r1, r2 and r3."""
    a, b = six[..., :3], six[..., 3:]
    third = torch.linalg.cross(a, b)
    aa, ab, bb = ((x * y).sum(-1, keepdim=True) for x, y in ((a, a), (a, b), (b, b)))
    area = third.norm(dim=-1, keepdim=True).clamp_min(_LEAST_AREA)  # the root of det S
    scale = area * (aa + bb + 2 * area).sqrt()  # S^(-1/2) of a 2 x 2 matrix in closed form
    first = ((bb + area) * a - ab * b) / scale
    second = ((aa + area) * b - ab * a) / scale
    return torch.stack([first, second, third / area], dim=-2)


class PoseEncoder(nn.Module):
    """Image to rotation and shift; 0.7 million parameters at a width of 32.

    Args:
        box_px: side of the images, a multiple of 16.
        width: channels of the first layer.
        angles: samples of a ring, a multiple of 8; by default 2 box_px, a pixel apart at two thirds
            of the radius.
    """

    grid: Tensor
    wave: Tensor

    def __init__(self, box_px: int = 48, width: int = 32, angles: int | None = None) -> None:
        super().__init__()
        angles = 2 * box_px if angles is None else angles
        self.register_buffer("grid", _rings(box_px, angles), persistent=False)
        kept = angles // _POOLING
        phi = 2 * pi * torch.arange(kept) / kept
        self.register_buffer("wave", torch.polar(torch.ones(kept) / kept, phi), persistent=False)
        self.features = nn.Sequential(
            _CyclicConv(1, width, angle_step=2),
            _CyclicConv(width, width),
            nn.MaxPool2d(2),
            _CyclicConv(width, 2 * width),
            _CyclicConv(2 * width, 2 * width),
            nn.MaxPool2d(2),
            _CyclicConv(2 * width, 4 * width),
            _CyclicConv(4 * width, 4 * width),
            nn.MaxPool2d((2, 1)),
            _CyclicConv(4 * width, 4 * width),
            _CyclicConv(4 * width, 4 * width),
        )
        self.head = nn.Sequential(
            nn.Conv1d(4 * width * (box_px // 16), 256, 1), nn.SiLU(), nn.Conv1d(256, 8, 1)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, 3) rotations and (n, 2) shifts x, y in pixels of (n, box, box) images."""
        sums = self.sums(images)
        axes, shift = sums[:, :3], sums[:, 3]
        return rotation_from_six(torch.cat([axes.real, axes.imag], 1)), torch.view_as_real(shift)

    def sums(self, images: Tensor) -> Tensor:
        """(n, 4) complex v and s, which turn with the image."""
        grid = self.grid.expand(len(images), -1, -1, -1)
        polar = grid_sample(images[:, None], grid, mode="bilinear", align_corners=False)
        found = self.head(self.features(polar).flatten(1, 2)).unflatten(1, (4, 2))
        summed: Tensor = (torch.complex(found[:, :, 0], found[:, :, 1]) * self.wave).sum(-1)
        return summed


class _CyclicConv(nn.Module):
    """3 x 3 convolution over radius and angle, batch normalisation, SiLU."""

    def __init__(self, before: int, after: int, angle_step: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            before, after, 3, stride=(1, angle_step), padding=(1, 0), bias=False
        )
        self.scale = nn.BatchNorm2d(after)

    def forward(self, polar: Tensor) -> Tensor:
        """(n, channels, radii, angles); the angles close upon themselves."""
        closed = pad(polar, (1, 1, 0, 0), mode="circular")
        return silu(self.scale(self.convolution(closed)))


def _rings(box_px: int, angles: int) -> Tensor:
    """(1, box // 2, angles, 2) places on circles about pixel [box // 2, box // 2]."""
    radius = torch.arange(box_px // 2) + 0.5
    phi = 2 * pi * torch.arange(angles) / angles
    circle = torch.stack([phi.cos(), phi.sin()], dim=-1)
    points = radius[:, None, None] * circle + box_px // 2
    return ((2 * points + 1) / box_px - 1)[None]
