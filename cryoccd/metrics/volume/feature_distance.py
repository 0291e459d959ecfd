"""Distances of the features of a classifier trained on real boxes: fd_volume and kd_volume.

fd is the squared Frechet distance of Gaussians fitted to the features, kd the unbiased squared
kernel distance without pairs of one tomogram (`cryoccd.metrics.features`). Both are given of all
boxes, and as means over the classes of the distance within a class, which a wrong mix cannot move
and boxes of the wrong class do. fd is biased upwards by about d / n, more so within classes: it
is read beside two halves of real boxes of as many.
"""

from collections.abc import Sequence
from math import nan
from statistics import fmean

import torch
from torch import Tensor

from cryoccd.metrics.card import Metric
from cryoccd.metrics.features.frechet import FeatureStatistics, frechet_distance
from cryoccd.metrics.features.kid import KernelSums, kernel_distance
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.groups import Groups, over_boxes, over_groups


def fd_volume(
    real: BoxSet, generated: BoxSet, real_features: Tensor, generated_features: Tensor
) -> dict[str, Metric]:
    """fd_volume and fd_volume_classes; squared distances.

    Args:
        real: as many boxes of each class as `generated` (`matched`).
        generated: the other side.
        real_features: (n, d) of `real`.
        generated_features: (n, d) of `generated`.
    """

    def distance(i: Tensor, j: Tensor) -> float:
        if min(len(i), len(j)) < 2:
            return nan
        one, two = real_features[i], generated_features[j]
        return frechet_distance(FeatureStatistics.of(one), FeatureStatistics.of(two))

    def within(i: Tensor, j: Tensor) -> float:
        return fmean(
            distance(i[real.labels[i] == label], j[generated.labels[j] == label])
            for label in real.occurring
        )

    note = f"biased upwards; {len(real)} boxes a side, {real_features.shape[1]} features"
    return {
        "fd_volume": over_boxes(distance, real, generated, note),
        "fd_volume_classes": over_boxes(within, real, generated, note),
    }


def kd_volume(
    real: BoxSet, generated: BoxSet, real_features: Tensor, generated_features: Tensor
) -> dict[str, Metric]:
    """kd_volume and kd_volume_classes, undefined with one tomogram on the real side."""
    sides = [(real, real_features), (generated, generated_features)]
    groups = [Groups.of(boxes) for boxes, _ in sides]

    def sums(label: int | None) -> KernelSums:
        return KernelSums.of(
            *(
                _by_group(features, own, None if label is None else boxes.labels == label)
                for (boxes, features), own in zip(sides, groups, strict=True)
            )
        )

    whole, classes = sums(None), [sums(label) for label in real.occurring]

    def overall(i: Sequence[int], j: Sequence[int]) -> float:
        return kernel_distance(whole, i, j)

    def within(i: Sequence[int], j: Sequence[int]) -> float:
        return fmean(kernel_distance(own, i, j) for own in classes)

    counts = [own.count for own in groups]
    note = "pairs of one tomogram are left out"
    return {
        "kd_volume": over_groups(overall, counts[0], counts[1], note),
        "kd_volume_classes": over_groups(within, counts[0], counts[1], note),
    }


def _by_group(features: Tensor, groups: Groups, chosen: Tensor | None) -> list[Tensor]:
    """(n_i, d) features of the chosen boxes of each group; may be empty."""
    kept = torch.ones(len(features), dtype=torch.bool) if chosen is None else chosen
    return [features[kept & (groups.owner == number)] for number in range(groups.count)]
