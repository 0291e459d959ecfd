r"""A tomogram filtered by what its two halves agree on.

The odd and the even tilts give a tomogram each, of one specimen and of independent noise. With C
the correlation of their transforms in a shell, 2 C / (1 + C) is the share of signal in the power of
their mean (Rosenthal & Henderson 2003, eq. 8), which is the Wiener filter of that shell:

    filtered = F^-1[W F[(odd + even) / 2]],     W = 2 C / (1 + C), 0 where C < 0

Neither odd nor even tilts reach the missing wedge: both transforms are nearly empty there, and add
nothing to a shell's sums. W falls to 0 for good at the first shell where C does.
"""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError

_PER_SHELL = 2  # steps of the widest side's transform, so that none is empty


def half_filtered(odd: Tensor, even: Tensor) -> Tensor:
    """The filtered mean of two half-tomograms.

    Args:
        odd: (d, h, w) of every second tilt.
        even: (d, h, w) of the others.

    Raises:
        CryoccdError: halves of different shapes, or that agree on nothing but their means.
    """
    if odd.shape != even.shape or odd.ndim != 3:
        raise CryoccdError(
            f"half filter: {tuple(odd.shape)} and {tuple(even.shape)}, expected one (d, h, w)"
        )
    first, second = torch.fft.rfftn(odd), torch.fft.rfftn(even)
    count = max(odd.shape) // (2 * _PER_SHELL)
    shell = _radius(odd.shape) * 2 * count
    weight = wiener(shell_agreement(first, second, shell, count))
    if not bool((weight[1:] > 0).any()):
        raise CryoccdError(
            "half filter: odd and even tilts agree on nothing, so nothing is left; take more tilts "
            "or dose, or denoised: false"
        )
    # between shells linearly, so that the filter has no rings
    below = shell.long().clamp(max=count)
    part = (shell - below).clamp(0, 1)
    beyond = torch.cat([weight, torch.zeros(2)])
    smooth = beyond[below] * (1 - part) + beyond[below + 1] * part
    filtered: Tensor = torch.fft.irfftn((first + second) / 2 * smooth, s=odd.shape)
    return filtered


def shell_agreement(first: Tensor, second: Tensor, shell: Tensor, count: int) -> Tensor:
    """(count + 1,) correlation of two halves of transforms in shells, from 0 to Nyquist."""
    nearest = shell.round().long().flatten()
    kept = nearest <= count

    def summed(values: Tensor) -> Tensor:
        return torch.bincount(nearest[kept], values.double().flatten()[kept], count + 1)

    product = summed((first * second.conj()).real)
    norm = (summed(first.abs().square()) * summed(second.abs().square())).sqrt()
    return (product / norm.clamp_min(1e-30)).float()


def wiener(agreement: Tensor) -> Tensor:
    """(n,) filter of shells from their (n,) correlations; 0 from the first that is not above 0."""
    held = (agreement > 0).long().cumprod(0)
    return held * 2 * agreement / (1 + agreement.clamp_min(0))


def _radius(shape: torch.Size) -> Tensor:
    """Cycles a voxel of each frequency of torch.fft.rfftn."""
    depth, height, width = shape
    axes = (torch.fft.fftfreq(depth), torch.fft.fftfreq(height), torch.fft.rfftfreq(width))
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return (z**2 + y**2 + x**2).sqrt()
