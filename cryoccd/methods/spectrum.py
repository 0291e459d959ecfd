"""Baseline zero: a Gaussian random field with the spectrum of real background.

The two-dimensional power spectrum comes from the mask-normalised autocorrelation between the
particles (imaging.masked_psd); the contrast of the particles from their detectability (matched.py).
Two switches, off by default: the slow field that a micrograph keeps beyond the largest lag, drawn
from the real ones; and a point-wise map of the noise to the quantiles of real background.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.imaging.masked_psd import masked_autocorrelation, random_field, spectrum_of
from cryoccd.imaging.slow_field import FIELD_PX, resize_field, slow_field
from cryoccd.methods.matched import Background, MatchedContrast

_QUANTILES = 513


class Spectrum(MatchedContrast):
    """y = gain * clean + random field.

    Args:
        max_lag_px: reach of the autocorrelation; sets the spectral resolution.
        low_frequency_field: add slow fields of the real micrographs, taken out of the spectrum.
        quantile_match: map the noise to the quantiles of real background.
    """

    autocorrelation: Tensor
    slow_fields: Tensor
    quantiles: Tensor

    def __init__(
        self,
        max_lag_px: int = 64,
        low_frequency_field: bool = False,
        quantile_match: bool = False,
    ) -> None:
        super().__init__()
        self.max_lag_px = max_lag_px
        self.low_frequency_field = low_frequency_field
        self.quantile_match = quantile_match
        self.register_buffer("autocorrelation", torch.zeros(0, 0, dtype=torch.float64))
        self.register_buffer("slow_fields", torch.zeros(0, FIELD_PX, FIELD_PX))
        self.register_buffer("quantiles", torch.zeros(0))

    def fit_noise(self, background: Sequence[Background]) -> None:
        """Measure spectrum, slow fields and quantiles of the background."""
        images = [item.image for item in background]
        masks = [item.mask for item in background]
        if self.low_frequency_field:
            slow = [
                slow_field(i, m, self.max_lag_px / 2) for i, m in zip(images, masks, strict=True)
            ]
            self.slow_fields = torch.stack([resize_field(s, (FIELD_PX, FIELD_PX)) for s in slow])
            images = [image - field for image, field in zip(images, slow, strict=True)]
        self.autocorrelation = masked_autocorrelation(images, masks, self.max_lag_px)
        if self.quantile_match:
            values = torch.cat([i[m] - i[m].mean() for i, m in zip(images, masks, strict=True)])
            probabilities = torch.linspace(0, 1, _QUANTILES)
            sample = values[:: max(1, values.numel() // 4_000_000)].sort().values
            positions = (probabilities * (sample.numel() - 1)).long()
            self.quantiles = sample[positions]

    def remove_fringes(self, fringes: Sequence[Background]) -> bool:
        """Subtract the autocorrelation of the fringes: signal and noise are uncorrelated."""
        images = [item.image for item in fringes]
        masks = [item.mask for item in fringes]
        self.autocorrelation -= masked_autocorrelation(images, masks, self.max_lag_px)
        return True

    def noise(self, shape_px: tuple[int, int], generator: torch.Generator) -> Tensor:
        """One field of noise."""
        field = random_field(spectrum_of(self.autocorrelation.cpu(), shape_px), generator)
        if self.quantile_match:
            field = self._to_quantiles(field)
        if self.low_frequency_field:
            pick = int(torch.randint(len(self.slow_fields), (), generator=generator))
            flips = [a for a in (0, 1) if bool(torch.randint(2, (), generator=generator))]
            field = field + resize_field(self.slow_fields[pick].cpu().flip(flips), shape_px)
        return field

    def _to_quantiles(self, field: Tensor) -> Tensor:
        """Map a Gaussian field point by point to the measured quantiles."""
        uniform = torch.special.ndtr((field - field.mean()) / field.std())
        table = self.quantiles.cpu()
        position = uniform.clamp(0, 1) * (len(table) - 1)
        low = position.floor().long().clamp(max=len(table) - 2)
        return torch.lerp(table[low], table[low + 1], position - low)
