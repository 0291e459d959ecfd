"""Error of the radial power spectrum of boxes, class by class, in decibels.

    spectrum_db = mean over classes and shells of |10 log10 P_generated(k) / P_real(k)| ,

with P the power of a shell of one cycle a box, under a Hann window (`shells`), summed over the
boxes of a class. Shells go from 2 cycles a box, below which the window mixes them with the mean
that was removed, to 0.9 Nyquist. Two draws of one process are a little above 0.
"""

import torch
from torch import Tensor

from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.groups import over_boxes
from cryoccd.metrics.volume.shells import Frequencies, windowed_power

FIRST_SHELL = 2
LAST_SHELL = 0.9  # of Nyquist


def shell_power(volumes: Tensor) -> Tensor:
    """(n, shells) float64 mean power of each shell from FIRST_SHELL on."""
    side = int(volumes.shape[-1])
    frequencies = Frequencies.of(side)
    shell = frequencies.radius.round()
    numbers = torch.arange(FIRST_SHELL, int(LAST_SHELL * side / 2) + 1)
    weights = (shell == numbers[:, None, None, None]) * frequencies.count
    return windowed_power(volumes, weights / weights.sum((1, 2, 3), keepdim=True))


def spectrum_db(real: BoxSet, generated: BoxSet) -> Metric:
    """Mean error over the classes; NaN and so undefined where a class has no box or no power."""
    sides = [(shell_power(boxes.volumes), boxes.labels) for boxes in (real, generated)]

    def mean(side: int, kept: Tensor, label: int) -> Tensor:
        power, labels = sides[side]
        return power[kept[labels[kept] == label]].mean(0)

    def figure(i: Tensor, j: Tensor) -> float:
        errors = [
            (10 * (mean(1, j, label) / mean(0, i, label)).log10()).abs().mean()
            for label in real.occurring
        ]
        return float(torch.stack(errors).mean())

    return over_boxes(figure, real, generated)
