"""Background of tomograms: its spectrum between the particles, and fields that have it.

The power is the mean of periodograms (Welch, IEEE Trans. Audio Electroacoust. 15, 70, 1967) of
cubes x under a window w, a Hann window that also falls softly to 0 about what is no background,

    P(k) = sum_cubes |F[w x](k)|^2 / sum_cubes sum_r w(r)^2

with every cube padded to twice its side. That is the transform of an autocorrelation of as many
lags, which gives P at the frequencies of a field of any size: nothing is interpolated, nothing gets
negative, and what is far below the rest (the missing wedge, or all that a denoiser has removed)
stays there. The masked autocorrelation of micrographs (`masked_psd`), whose lags are divided by
numbers of pairs, has a floor of white estimation noise instead.
"""

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError


class VolumePower:
    """Periodograms of cubes, summed.

    Args:
        side: of the cubes in voxels; the spectrum has features of about 2 / side cycles a voxel.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self._power = torch.zeros(2 * side, 2 * side, side + 1, dtype=torch.float64)
        self._energy = 0.0
        ramp = torch.hann_window(side)
        self._hann = ramp[:, None, None] * ramp[:, None] * ramp

    def add(self, cube: Tensor, weight: Tensor) -> None:
        """Take a cube in.

        Args:
            cube: (side, side, side) float32, around 0.
            weight: the same of what counts, from 0 to 1, without sharp edges.
        """
        window = self._hann * weight
        padded = (2 * self.side,) * 3
        self._power += torch.fft.rfftn(cube * window, s=padded).abs().square()
        self._energy += float(window.square().sum())

    def autocorrelation(self) -> Tensor:
        """(2 side,) * 3 float64 at lags -side to side - 1 voxels, lag 0 at [0, 0, 0].

        Raises:
            CryoccdError: nothing was taken in.
        """
        if not self._energy > 0:
            raise CryoccdError("background: no cube between the particles")
        lags: Tensor = torch.fft.irfftn(self._power, s=(2 * self.side,) * 3)
        return lags / self._energy


def volume_spectrum(autocorrelation: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Power per voxel (d, h, w // 2 + 1) in the layout of rfftn.

    White noise of variance v has power v everywhere. Lags beyond half of the field are left out;
    negative power, which only they or rounding leave, is set to 0.

    Args:
        autocorrelation: (2 n, 2 n, 2 n) at lags -n to n - 1, lag 0 at [0, 0, 0]; 0 at lag -n.
        shape: voxels of the field along z, y, x.
    """
    lag = int(autocorrelation.shape[0]) // 2
    z, y, x = (torch.arange(-r, r + 1) for r in (min(lag, (side + 1) // 2) - 1 for side in shape))
    field = torch.zeros(shape, dtype=autocorrelation.dtype)
    field[z[:, None, None], y[:, None], x] = autocorrelation[z[:, None, None], y[:, None], x]
    power: Tensor = torch.fft.rfftn(field).real.clamp_min(0)
    return power


def random_volume(
    autocorrelation: Tensor, shape: tuple[int, int, int], generator: torch.Generator
) -> Tensor:
    """Gaussian random field (d, h, w) float32 with the variance and spectrum of a background.

    It is cut from a larger one, so that opposite faces have nothing to do with one another.

    Args:
        autocorrelation: see `volume_spectrum`.
        shape: voxels along z, y, x.
        generator: the only source of randomness.
    """
    reach = int(autocorrelation.shape[0]) // 2
    # wide enough for all lags, and no lag of the part that is kept goes round
    wide = [int(next_fast_len(max(side + reach, 2 * reach), real=True)) for side in shape]
    depth, height, width = wide
    power = volume_spectrum(autocorrelation.float(), (depth, height, width))
    white = torch.randn(wide, generator=generator)
    field = torch.fft.irfftn(torch.fft.rfftn(white).mul_(power.sqrt_()), s=wide)
    kept: Tensor = field[: shape[0], : shape[1], : shape[2]].contiguous()
    return kept
