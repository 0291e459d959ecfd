"""Correlation of the noise between particles: how pixels know of their neighbours.

    rho(u) = R(u) / R(0)
    R(u) = sum_i sum_r m_i(r) m_i(r + u) x_i(r) x_i(r + u) / sum_i sum_r m_i(r) m_i(r + u)

over micrographs i with background masks m_i (as `masked_psd`; Padfield 2012, IEEE Trans. Image
Process. 21, eq. 9 for the masked products). x_i is the image less its Gaussian average over the
background, sigma = max_lag_px: an ice gradient would lift rho at all lags by its share of the
variance and hide the noise; it is for `LowFrequencyField` to judge. Every direction of the lag u
has its own value, so anisotropic and striped noise is seen. The error is the root mean square of
rho_generated - rho_real over 0 < |u| <= max_lag_px; the scale of the noise, R(0), does not enter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.masked_psd import LEAST_PAIRS, LagSums, lag_sums
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.noise.between_particles import background_of, fine_part, lacks_background


@dataclass(frozen=True)
class NoiseAutocorrelation(Measure[LagSums]):
    """Error of the normalised autocorrelation of background.

    Args:
        max_lag_px: largest lag compared; 16 px are several correlation lengths of camera noise.
    """

    max_lag_px: int = 16

    figures = (
        Figure(
            "acf_rmse", 0.0, "rms error of the correlation of background pixels over short lags"
        ),
    )

    def __post_init__(self) -> None:
        if self.max_lag_px < 1:
            raise CryoccdError(f"max_lag_px = {self.max_lag_px}, expected 1 or more; raise it")

    def lacks(self, field: Field) -> str:
        """Picks or the particle diameter."""
        return lacks_background(field)

    def describe(self, field: Field) -> LagSums:
        """Sums over the background of one micrograph."""
        mask = background_of(field)
        noise = fine_part(field.image, mask, self.max_lag_px)
        return lag_sums(noise, mask, self.max_lag_px + 1)

    def compare(self, real: Sequence[LagSums], made: Sequence[LagSums]) -> dict[str, float]:
        """acf_rmse; NaN where a side has too little background for a lag, or no noise in it."""
        if not real or not made:
            return {"acf_rmse": nan}
        error = self._correlation(made) - self._correlation(real)
        return {"acf_rmse": float(error.square().mean().sqrt())}

    def _correlation(self, parts: Sequence[LagSums]) -> Tensor:
        """Correlation at the lags 0 < |u| <= max_lag_px."""
        products = torch.stack([part.products for part in parts]).sum(0)
        pairs = torch.stack([part.pairs for part in parts]).sum(0)
        lag = torch.fft.fftfreq(len(pairs), 1 / len(pairs), dtype=torch.float64)
        radius = torch.hypot(lag[:, None], lag[None, :])
        kept = radius <= self.max_lag_px
        # round trips through Fourier space leave 1e-9 of a pair: half a pair is no accident of them
        covariance = torch.where(pairs > LEAST_PAIRS - 0.5, products / pairs, nan)
        rho: Tensor = covariance[kept & (radius > 0)] / covariance[0, 0]
        return rho
