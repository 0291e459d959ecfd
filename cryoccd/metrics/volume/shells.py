"""Power of boxes at the frequencies of a discrete transform, under a Hann window.

The weighted mean is removed under the window w, and white noise of variance v has power v:

    P(k) = |F[w (x - m)]|^2 / sum w^2 ,     m = sum w x / sum w .

Without the window the faces of a box, which do not meet, would leave power along the axes of
frequency, and most of all in the missing wedge.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Frequencies:
    """The layout of torch.fft.rfftn of (side, side, side) values, axes z, y, x.

    Args:
        x: broadcast to the layout, cycles a box.
        y: the same.
        z: the same.
        count: (side, side, side // 2 + 1) how many frequencies of the full transform each is.
    """

    x: Tensor
    y: Tensor
    z: Tensor
    count: Tensor

    @classmethod
    def of(cls, side: int) -> "Frequencies":
        """Those of boxes of an even side."""
        k = torch.fft.fftfreq(side, 1 / side)
        half = torch.arange(side // 2 + 1, dtype=torch.float32)
        z, y, x = torch.meshgrid(k, k, half, indexing="ij")
        count = torch.where((x == 0) | (x == side // 2), 1.0, 2.0)
        return cls(x, y, z, count)

    @property
    def radius(self) -> Tensor:
        """Distance from frequency 0 in cycles a box."""
        return (self.x**2 + self.y**2 + self.z**2).sqrt()

    @property
    def tilt_deg(self) -> Tensor:
        """Tilt at which each is seen, 0 to 90, for a tilt axis along y: atan |kz| / |kx|."""
        return torch.rad2deg(torch.atan2(self.z.abs(), self.x.abs()))


def windowed_power(volumes: Tensor, weights: Tensor) -> Tensor:
    """(n, q) float64 weighted sums of the power of (n, b, b, b) boxes.

    Args:
        volumes: boxes.
        weights: (q, b, b, b // 2 + 1) in the layout of torch.fft.rfftn.
    """
    side = int(volumes.shape[-1])
    edge = torch.hann_window(side, periodic=True)
    window = edge[:, None, None] * edge[:, None] * edge
    columns = weights.flatten(1).T.float()
    sums = []
    for part in torch.split(volumes.float(), _AT_ONCE):
        mean = (part * window).sum((1, 2, 3), keepdim=True) / window.sum()
        spectrum = torch.fft.rfftn((part - mean) * window, dim=(1, 2, 3))
        sums.append(spectrum.abs().square().flatten(1) @ columns)
    return torch.cat(sums).double() / float(window.square().sum())
