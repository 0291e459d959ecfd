"""How much of the signal is still in a generated micrograph, band by band.

Image y and clean signal x (CTF applied, at the contrast of the real data) are both reduced to one
band of resolution, the mean inside each particle's disc is taken off both, and over all discs

    slope = sum x y / sum x^2 ,

the least-squares coefficient: 1 where the signal is all there, 0 where none is. It is linear in y,
so noise of any strength or colour adds variance but no bias, and as x holds the neighbours too,
neither does a crowded field. Bands do not share a frequency; they end at Nyquist. The intervals of
the report are over micrographs; `standard_errors` counts the particles as independent, which needs
no more than a few of them (sandwich with one cluster a particle, White 1980, Econometrica 48, 817):

    se = [sum_i (x.y - slope x.x)_i^2]^(1/2) / sum_i (x.x)_i .
"""

from collections.abc import Sequence
from math import inf, isfinite, nan, sqrt

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.signal.calibration import calibrated_signal
from cryoccd.metrics.signal.windows import disc_offsets, whole_windows

BANDS_A = {"200_40": (200.0, 40.0), "40_20": (40.0, 20.0), "20_10": (20.0, 10.0), "10": (10.0, 0.0)}
"""Coarse and fine end of each band in angstrom."""
LEAST_SHARE = 1e-8
"""Of the signal's power: a band with less holds the rounding of the clean image, not its signal."""


class SignalSlope(Measure[Tensor]):
    """Slope of the image on the clean signal inside the particles.

    Args:
        gain: from relative contrast to units of normalised images, `Calibration.gain`.
    """

    figures = tuple(
        Figure(f"signal_slope_{name}", 1.0, f"share of the clean signal that is left, {name} A")
        for name in BANDS_A
    )
    sides = ("generated",)

    def __init__(self, gain: float) -> None:
        if not (isfinite(gain) and gain > 0):
            raise CryoccdError(f"gain = {gain}, expected above 0; fit it with Calibration.fit")
        self.gain = gain

    def lacks(self, field: Field) -> str:
        """Clean images, picks or the diameter."""
        if field.clean is None:
            return "clean images"
        if field.centres_px is None:
            return "picks"
        return "the particle diameter" if field.diameter_px is None else ""

    def describe(self, field: Field) -> Tensor:
        """(bands, 5) sums over particles of xx, xy, xx^2, xx xy, xy^2 with x.x, x.y of each."""
        assert field.centres_px is not None  # else it lacks them
        assert field.diameter_px is not None
        shape = (int(field.image.shape[0]), int(field.image.shape[1]))
        discs = whole_windows(shape, field.centres_px, disc_offsets(field.diameter_px))
        k = radial_frequency(shape, rfft=True).to(torch.float64)
        spectra = [
            torch.fft.rfft2(x)
            for x in (calibrated_signal(field, self.gain), field.image.to(torch.float64))
        ]
        sums = torch.zeros(len(BANDS_A), 5, dtype=torch.float64)
        for row, (coarse_A, fine_A) in zip(sums, BANDS_A.values(), strict=True):
            end = field.pixel_size_A / fine_A if fine_A else inf
            band = (k >= field.pixel_size_A / coarse_A) & (k < end) & (k < 0.5)
            if not bool(band.any()):
                continue
            x, y = (_inside(torch.fft.irfft2(s * band, s=shape), discs) for s in spectra)
            xx, xy = (x * x).sum(1), (x * y).sum(1)
            row += torch.stack([xx, xy, xx * xx, xx * xy, xy * xy]).sum(1)
        return sums

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """Slopes; NaN beyond Nyquist and where the clean image holds no signal."""
        return {name: slope for name, (slope, _) in self._fit(made).items()}

    def standard_errors(self, made: Sequence[Tensor]) -> dict[str, float]:
        """Standard error of each slope over particles, by the name of its figure."""
        return {name: error for name, (_, error) in self._fit(made).items()}

    def _fit(self, made: Sequence[Tensor]) -> dict[str, tuple[float, float]]:
        sums = torch.stack(list(made)).sum(0) if made else torch.zeros(len(BANDS_A), 5)
        least = LEAST_SHARE * float(sums[:, 0].sum())
        fits = {}
        for figure, row in zip(self.figures, sums.tolist(), strict=True):
            xx, xy, xx_xx, xx_xy, xy_xy = row
            slope = xy / xx if xx > least else nan
            residual = xy_xy - 2 * slope * xx_xy + slope**2 * xx_xx
            error = sqrt(max(residual, 0.0)) / xx if xx > least else nan
            fits[figure.name] = (slope, error)
        return fits


def _inside(field: Tensor, discs: Tensor) -> Tensor:
    """(n, m) values in each disc less their mean."""
    values = field.flatten()[discs]
    return values - values.mean(1, keepdim=True)
