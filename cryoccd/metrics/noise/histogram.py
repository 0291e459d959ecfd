"""Wasserstein-1 distance between the distributions of pixel values.

W1 = integral of |F_real - F_generated|, with both distributions counted in bins of a 500th of the
unit (the scaled MAD): fine enough that the bins do not show.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.metrics.images import VALUE_LIMIT

_BINS_A_UNIT = 500
_BINS = round(2 * VALUE_LIMIT * _BINS_A_UNIT)


def value_fractions(image: Tensor) -> Tensor:
    """Fraction of the pixels of a normalised (h, w) image in each bin, float64."""
    index = ((image + VALUE_LIMIT) * _BINS_A_UNIT).long().clamp(0, _BINS - 1).flatten()
    return torch.bincount(index, minlength=_BINS).to(torch.float64) / index.numel()


def wasserstein_1(real: Sequence[Tensor], generated: Sequence[Tensor]) -> float:
    """Distance in units of the scaled MAD; every micrograph counts the same.

    Args:
        real: `value_fractions` of each real micrograph.
        generated: the same of each generated one.
    """
    difference = torch.stack(list(generated)).mean(0) - torch.stack(list(real)).mean(0)
    return float(difference.cumsum(0).abs().sum()) / _BINS_A_UNIT
