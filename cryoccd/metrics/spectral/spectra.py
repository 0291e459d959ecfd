"""Error of the radial power spectrum in an area, over all rings and in bands of resolution.

The error is the mean over rings of |10 log10(generated / real)|, the power of each side summed over
its micrographs (`spectrum`, also for masks and tiles). Ring i of tiles of n pixels of p angstrom
lies at the resolution n p / i, and belongs to the band from a to b angstrom where a >= n p / i > b.

Powers of finite samples differ, so two draws of one process are a little above 0: two means of M
independent periodograms each give about 10 / ln 10 (4 / (pi M))^(1/2) dB, which is 0.49 dB at
M = 100.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.spectral.areas import Area, area_lacks, area_mask
from cryoccd.metrics.spectral.spectrum import FIRST_RING, RingPower, ring_power, spectrum_error_db

_BANDS_A = {"200_40": (200.0, 40.0), "40_20": (40.0, 20.0), "20_10": (20.0, 10.0), "10": (10.0, 0)}


@dataclass(frozen=True)
class AreaSpectrum:
    """Ring powers of one micrograph's area, and the pixel size that makes resolutions of rings."""

    rings: RingPower
    pixel_size_A: float


class SpectrumError(Measure[AreaSpectrum]):
    """psd_<area>_db and psd_<area>_<band>_db, NaN where no tile has the area or no ring the band.

    Args:
        area: "background", "particle" or "whole"; only the whole needs no picks.
        tile_px: side of the tiles. Rings are compared one to one, so it is one for all micrographs
            and at most the smallest side of any: `fitting_tile_px`.
    """

    def __init__(self, area: Area, tile_px: int = 128) -> None:
        self.area: Area = area
        self.tile_px = tile_px
        where = f"radial power spectrum error, {area}"
        bands = (
            Figure(f"psd_{area}_{band}_db", 0.0, f"{where}, {_extent(*ends)}, dB")
            for band, ends in _BANDS_A.items()
        )
        self.figures = (Figure(f"psd_{area}_db", 0.0, f"{where}, dB"), *bands)

    def lacks(self, field: Field) -> str:
        """Picks and the particle diameter, for all areas but the whole."""
        return area_lacks(field, self.area)

    def describe(self, field: Field) -> AreaSpectrum:
        """Ring powers.

        Raises:
            CryoccdError: the tile does not fit, or what the area needs is missing.
        """
        mask = area_mask(field, self.area)
        return AreaSpectrum(ring_power(field.image, mask, self.tile_px), field.pixel_size_A)

    def compare(
        self, real: Sequence[AreaSpectrum], made: Sequence[AreaSpectrum]
    ) -> dict[str, float]:
        """Errors in dB; the bands by the real pixel size."""
        sides = [_total(side) for side in (real, made)]
        ring = torch.arange(len(sides[0].power), dtype=torch.float64) + FIRST_RING
        resolution_A = self.tile_px * min(part.pixel_size_A for part in real) / ring
        ends = ((inf, 0.0), *_BANDS_A.values())
        within = [(resolution_A <= coarse) & (resolution_A > fine) for coarse, fine in ends]
        return {
            figure.name: spectrum_error_db(*([_cut(side, rings)] for side in sides))
            for figure, rings in zip(self.figures, within, strict=True)
        }


def fitting_tile_px(shapes_px: Sequence[tuple[int, int]], tile_px: int) -> int:
    """The tile, cut down to the smallest side of all micrographs of a comparison, even."""
    return min(tile_px, *(side for shape in shapes_px for side in shape)) // 2 * 2


def _total(parts: Sequence[AreaSpectrum]) -> RingPower:
    power = torch.stack([part.rings.power for part in parts]).sum(0)
    return RingPower(power, sum(part.rings.weight for part in parts))


def _cut(total: RingPower, rings: Tensor) -> RingPower:
    return RingPower(total.power[rings], total.weight)


def _extent(coarse_A: float, fine_A: float) -> str:
    return f"{coarse_A:g}-{fine_A:g} A" if fine_A > 0 else f"beyond {coarse_A:g} A"
