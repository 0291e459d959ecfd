"""Distribution of the pixel values: its distance, and the errors of its lopsidedness and tails.

The distribution of a side is the mean over its micrographs of the binned values (`histogram`), so
every micrograph counts the same, and so are its moments about the mean m:

    skew = E (x - m)^3 / s^3,   excess kurtosis = E (x - m)^4 / s^4 - 3,   s^2 = E (x - m)^2.

Both are 0 for a Gaussian and have no unit. Values beyond +-10 scaled MAD count as 10, so one hot
pixel in 100,000 is worth 0.1 of kurtosis, and no more. Bins of 1/500 of the unit change neither by
1e-5 (Sheppard's correction is 1/12 of their square).
"""

from collections.abc import Sequence
from math import nan

import torch
from torch import Tensor

from cryoccd.metrics.images import VALUE_LIMIT
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.noise.histogram import value_fractions, wasserstein_1


class PixelValues(Measure[Tensor]):
    """Errors of the one-point statistics."""

    figures = (
        Figure("histogram_w1", 0.0, "Wasserstein-1 distance of the pixel values, in scaled MAD"),
        Figure("skew_error", 0.0, "skewness of the pixel values, generated minus real"),
        Figure("kurtosis_error", 0.0, "excess kurtosis of the pixel values, generated minus real"),
    )

    def describe(self, field: Field) -> Tensor:
        """Fraction of the pixels in each bin."""
        return value_fractions(field.image)

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """Distance and errors; the moments are NaN where all values of a side are the same."""
        if not real or not made:
            return {figure.name: nan for figure in self.figures}
        skew, kurtosis = (_shape(made) - _shape(real)).tolist()
        return {
            "histogram_w1": wasserstein_1(real, made),
            "skew_error": skew,
            "kurtosis_error": kurtosis,
        }


def _shape(fractions: Sequence[Tensor]) -> Tensor:
    """Skewness and excess kurtosis of binned values, (2,) float64."""
    weight = torch.stack(list(fractions)).mean(0)
    step = 2 * VALUE_LIMIT / len(weight)
    value = torch.arange(len(weight), dtype=torch.float64) * step + (step / 2 - VALUE_LIMIT)
    value = value - (weight * value).sum()
    second, third, fourth = ((weight * value**n).sum() for n in (2, 3, 4))
    if float(second) < step**2:  # all in one bin or two: nothing that bins could tell
        return torch.full((2,), nan, dtype=torch.float64)
    return torch.stack([third / second**1.5, fourth / second**2 - 3])
