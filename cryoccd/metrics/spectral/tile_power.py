"""Two-dimensional power of the tiles of a micrograph, in the area that a mask leaves.

    P(k) = sum_tiles |F[w (x - m)]|^2 / sum_tiles sum w^2 ,     w = Hann x mask ,

with m the weighted mean of the tile. White noise of variance v has power v at every frequency but
the lowest, whatever the mask, and a tile counts by the area that the mask leaves in it. Tiles
overlap by half; those with under a twentieth of the window are left out:
their few pixels blur the spectrum over all frequencies.
"""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError

LEAST_AREA = 0.05  # of the window
LEAST_TILE_PX = 16


def tile_power(image: Tensor, mask: Tensor, tile_px: int) -> Tensor:
    """Power per pixel (tile_px, tile_px) float64, unshifted; NaN where no tile has enough area.

    Args and errors are those of `tile_sums`.
    """
    power, weight = tile_sums(image, mask, tile_px)
    return power / weight if weight > 0 else torch.full_like(power, float("nan"))


def tile_sums(image: Tensor, mask: Tensor, tile_px: int) -> tuple[Tensor, float]:
    """Numerator (tile_px, tile_px) float64, unshifted, and denominator of P(k).

    Args:
        image: (h, w).
        mask: boolean (h, w), true where pixels count.
        tile_px: side of the tiles, at most that of the image.

    Raises:
        CryoccdError: the tile does not fit, or is under 16 px.
    """
    if tile_px > min(image.shape) or tile_px < LEAST_TILE_PX:
        raise CryoccdError(
            f"tile: {tile_px} px, expected {LEAST_TILE_PX} to the field's {min(image.shape)} px; "
            "change it"
        )
    hann = torch.hann_window(tile_px, periodic=False, dtype=torch.float64)
    window = hann[:, None] * hann[None, :]
    power, total = torch.zeros_like(window), 0.0
    for y in _starts(int(image.shape[0]), tile_px):  # one row of tiles at a time, for memory
        rows = slice(y, y + tile_px)
        weights = window * _row(mask[rows], tile_px)
        area = weights.square().sum((-2, -1))
        enough = area >= LEAST_AREA * window.square().sum()
        weights, values = weights[enough], _row(image[rows], tile_px)[enough]
        mean = (weights * values).sum((-2, -1)) / weights.sum((-2, -1))
        masked = weights * (values - mean[:, None, None])
        power += torch.fft.fft2(masked).abs().square().sum(0)
        total += float(area[enough].sum())
    return power, total


def _row(strip: Tensor, tile_px: int) -> Tensor:
    """(tiles, tile_px, tile_px) float64 of a (tile_px, w) strip."""
    starts = _starts(int(strip.shape[1]), tile_px)
    return torch.stack([strip[:, x : x + tile_px] for x in starts]).to(torch.float64)


def _starts(side_px: int, tile_px: int) -> list[int]:
    free = side_px - tile_px
    steps = -(-free // (tile_px // 2))
    return [round(i * free / steps) for i in range(steps + 1)] if steps else [0]
