"""Boxes in groups that are left out as a whole, and the interval of a figure over them.

Real boxes of one tomogram share its ice, its defocus and often their voxels, so whole tomograms are
left out by the block jackknife of `cryoccd.metrics.statistics.intervals`; generated ones are
samples of their own. With one tomogram on the real side there is no interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from cryoccd.metrics.card import Metric
from cryoccd.metrics.statistics.intervals import block_jackknife
from cryoccd.metrics.volume.boxes import BoxSet

BoxFigure = Callable[[Tensor, Tensor], float]
"""A figure of the real and the generated boxes with these indices; NaN where undefined."""

UNDEFINED = "undefined for these boxes"


@dataclass(frozen=True, eq=False)
class Groups:
    """Which boxes belong together.

    Args:
        owner: (n,) int64 number of each box's group, in the order of their names.
        count: groups.
    """

    owner: Tensor
    count: int

    @classmethod
    def of(cls, boxes: BoxSet) -> "Groups":
        """The groups of a set."""
        names, owner = np.unique(boxes.groups, return_inverse=True)
        return cls(torch.from_numpy(np.asarray(owner, np.int64)), len(names))

    def members(self, kept: Sequence[int]) -> Tensor:
        """Indices of the boxes of some groups, ascending."""
        wanted = torch.zeros(self.count, dtype=torch.bool)
        wanted[torch.tensor(list(kept), dtype=torch.int64)] = True
        return wanted[self.owner].nonzero().flatten()


def over_groups(
    figure: Callable[[Sequence[int], Sequence[int]], float],
    n_real: int,
    n_generated: int,
    note: str = "",
) -> Metric:
    """A figure of groups of both sides with its interval.

    Args:
        figure: from the real and the generated groups with these numbers.
        n_real: real groups; 0 where the figure takes none.
        n_generated: generated groups.
        note: what a reader must know.
    """
    n = min(n_real or n_generated, n_generated)
    value = figure(range(n_real), range(n_generated))
    if not isfinite(value):
        text = "; ".join(part for part in (UNDEFINED, note) if part)
        return Metric(None, None, None, n, "none", text)
    ends = block_jackknife(figure, n_real, n_generated)
    return Metric(value, ends.low, ends.high, n, ends.kind, note)


def over_boxes(figure: BoxFigure, real: BoxSet, generated: BoxSet, note: str = "") -> Metric:
    """A figure of the boxes of both sides with its interval over their groups."""
    one, two = Groups.of(real), Groups.of(generated)
    return over_groups(
        lambda i, j: figure(one.members(i), two.members(j)), one.count, two.count, note
    )


def over_generated(figure: Callable[[Tensor], float], generated: BoxSet, note: str = "") -> Metric:
    """A figure of the generated boxes alone, with its interval over their groups."""
    groups = Groups.of(generated)
    return over_groups(lambda _, j: figure(groups.members(j)), 0, groups.count, note)
