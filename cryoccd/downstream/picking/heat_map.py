"""Heat maps: what the network is taught, and the loss.

A particle is a Gaussian of peak 1 about its centre, overlapping ones are joined by the larger
(Zhou, Wang & Kraehenbuehl 2019, Objects as Points, arXiv:1904.07850, section 3). The loss is the
cross-entropy against that soft target t,

    L = - mean[ w t log p + (1 - t) log(1 - p) ] ,

w the weight of the positive part (King & Zeng 2001, Political Analysis 9, 137, equation 15). Where
t is uncertain with mean m, its optimum is p = w m / (1 + (w - 1) m): it rises with m whatever w is,
so scores keep the order of probabilities, also in low dose, where no particle is certain. The
weight is there for the start: particles cover little, and without it a network may stay at p = 0.
Focal losses (Lin et al. 2017, arXiv:1708.02002) turn down what is easy, and in noise nothing is.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

_REACH = 4.0  # sigma beyond which a Gaussian counts as 0


def heat_map(shape_px: tuple[int, int], centres_px: Tensor, sigma_px: float) -> Tensor:
    """(h, w) float32 target.

    Args:
        shape_px: height and width.
        centres_px: (n, 2) x, y from the centre of pixel [0, 0]; they may lie outside, n may be 0.
        sigma_px: of a Gaussian.
    """
    height, width = shape_px
    reach = _REACH * sigma_px
    far = torch.tensor([width, height], dtype=torch.float64) - 1 + reach
    near = ((centres_px >= -reach) & (centres_px <= far)).all(1)
    x, y = centres_px[near].to(torch.float64).unbind(1)
    rows = (torch.arange(height) - y[:, None]).square()
    columns = (torch.arange(width) - x[:, None]).square()
    exponents = -(rows[:, :, None] + columns[:, None, :]) / (2 * sigma_px**2)
    if len(x) == 0:
        return torch.zeros(shape_px)
    return exponents.amax(0).exp().to(torch.float32)


def heat_map_loss(logits: Tensor, target: Tensor, positive_weight: float) -> Tensor:
    """Mean weighted cross-entropy of logits against a soft target of the same shape."""
    weight = torch.tensor(positive_weight, device=logits.device)
    return binary_cross_entropy_with_logits(logits, target, pos_weight=weight)
