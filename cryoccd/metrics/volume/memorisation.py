"""Are generated boxes nearer to the training boxes than fresh real ones are?

    memorisation_ratio = mean over classes of
                         median over generated boxes of 1 - r to the nearest training box
                         / median over held-out real boxes of the same ,

with r the correlation of whole boxes after a blur (`correlation`); boxes of small particles are
near one another anyway, so classes are not pooled. 1 says as near as fresh data, clearly below 1
copied (Meehan, Chaudhuri & Dasgupta 2020, arXiv:2004.05675, as a ratio; the same of
micrographs: `cryoccd.metrics.features.memorisation`). A model trained with the half turns that keep
the missing wedge may copy a box turned: the nearest is sought among all four.

Held-out boxes must not overlap training ones, or they are near for that: take whole tomograms.
"""

from math import nan
from statistics import fmean

import torch
from torch import Tensor

from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.correlation import BLUR_VOXELS, blurred, middle, unit_rows
from cryoccd.metrics.volume.groups import over_boxes
from cryoccd.metrics.volume.matched import check_alike

_HALF_TURNS: tuple[tuple[int, ...], ...] = ((), (1, 2), (1, 3), (2, 3))
"""Axes of (n, z, y, x) that are reversed: none, and half turns about x, y and z."""

_AT_ONCE = 512
_COPIED = 1e-6


def nearest_distances(volumes: Tensor, training: Tensor) -> Tensor:
    """(n,) float64 1 - r to the nearest training box, of its four turns.

    Args:
        volumes: (n, b, b, b).
        training: (m, b, b, b).
    """
    reach = int(volumes.shape[-1]) // 2 - 1
    own = middle(blurred(volumes, BLUR_VOXELS), reach, step=2)
    # turning the boxes that are asked after instead of the training ones finds the same pairs
    turned = [unit_rows(own.flip(axes)) for axes in _HALF_TURNS]
    highest = torch.full((len(volumes),), -1.0)
    for part in torch.split(training, _AT_ONCE):
        known = unit_rows(middle(blurred(part, BLUR_VOXELS), reach, step=2))
        for rows in turned:
            highest = torch.maximum(highest, (rows @ known.T).amax(1))
    return 1 - highest.double().clamp(max=1)


def memorisation_ratio(real: BoxSet, generated: BoxSet, training: BoxSet) -> Metric:
    """Mean ratio of the medians; undefined where held-out boxes are copies themselves.

    Args:
        real: held-out boxes.
        generated: of the model.
        training: what it was trained on.

    Raises:
        CryoccdError: sets that cannot be compared.
    """
    check_alike(real, training)
    fresh, made = (nearest_distances(side.volumes, training.volumes) for side in (real, generated))

    def ratio(one: Tensor, two: Tensor) -> float:
        held = float(one.median()) if min(len(one), len(two)) else 0.0
        return float(two.median()) / held if held > _COPIED else nan

    def figure(i: Tensor, j: Tensor) -> float:
        return fmean(
            ratio(fresh[i][real.labels[i] == label], made[j][generated.labels[j] == label])
            for label in real.occurring
        )

    return over_boxes(figure, real, generated, f"{len(training)} training boxes")
