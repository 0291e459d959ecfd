"""Fourier shell correlation (Harauz & van Heel, Optik 73, 146, 1986)."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def shell_correlation(a: Tensor, b: Tensor) -> NDArray[np.float64]:
    """(n // 2 + 1,) correlation of two (n, n, n) volumes in shells of one step of frequency."""
    side = a.shape[-1]
    f = torch.fft.fftfreq(side, 1 / side)
    radius = (f[:, None, None] ** 2 + f[:, None] ** 2 + f**2).sqrt().round().long().flatten()
    keep = radius <= side // 2
    first, second = torch.fft.fftn(a.double()), torch.fft.fftn(b.double())

    def shells(values: Tensor) -> Tensor:
        return torch.bincount(radius[keep], values.flatten()[keep], side // 2 + 1)

    product = shells((first * second.conj()).real)
    norm = (shells(first.abs().square()) * shells(second.abs().square())).sqrt()
    return (product / norm.clamp_min(1e-30)).numpy()


@dataclass(frozen=True)
class Curve:
    """An FSC with its scale.

    Args:
        values: (n // 2 + 1,) from frequency 0 to Nyquist.
        voxel_size_A: of the volumes.
    """

    values: NDArray[np.float64]
    voxel_size_A: float

    def lowest(self, nyquist: float = 0.8) -> float:
        """Least value up to a part of Nyquist."""
        last = int(nyquist * (len(self.values) - 1))
        return float(self.values[1 : last + 1].min())

    def mean(self, nyquist: float = 0.8) -> float:
        """Mean value up to a part of Nyquist."""
        last = int(nyquist * (len(self.values) - 1))
        return float(self.values[1 : last + 1].mean())

    def resolution_A(self, threshold: float = 0.5) -> float:
        """Where the curve first falls below, between shells; Nyquist where it never does.

        The side of the volume, where its mean is below already: nothing agrees.
        """
        side_A = 2 * (len(self.values) - 1) * self.voxel_size_A
        below = np.flatnonzero(self.values[1:] < threshold)
        if len(below) == 0:
            return 2 * self.voxel_size_A
        shell = int(below[0]) + 1
        high, low = self.values[shell - 1], self.values[shell]
        if high < threshold:  # that of frequency 0, which `below` left out
            return side_A
        return float(side_A / (shell - 1 + (high - threshold) / (high - low)))
