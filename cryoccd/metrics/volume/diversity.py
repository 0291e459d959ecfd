"""Do samples of one class differ from one another as much as real boxes do?

    diversity_ratio = mean over classes of  d_c(generated) / d_c(real) ,

with d_c the mean of 1 - r over pairs within the class c and r the correlation of whole boxes after
a blur (`correlation`). 1 is as varied, 0 one sample repeated. Noise is varied too: it is to be read
beside the feature distance.
"""

from math import nan
from statistics import fmean

from torch import Tensor

from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.correlation import whole_rows
from cryoccd.metrics.volume.groups import over_boxes


def diversity_ratio(real: BoxSet, generated: BoxSet) -> Metric:
    """Mean over the classes; undefined where one has a single box."""
    sides = [(whole_rows(boxes.volumes), boxes.labels) for boxes in (real, generated)]

    def spread(side: int, kept: Tensor, label: int) -> float:
        rows, labels = sides[side]
        own = rows[kept[labels[kept] == label]].double()
        n = len(own)
        # the sum over pairs of r is |sum of rows|^2 less the n pairs of a row with itself
        return 1 - (float(own.sum(0).square().sum()) - n) / (n * (n - 1)) if n > 1 else nan

    def figure(i: Tensor, j: Tensor) -> float:
        spreads = [(spread(0, i, label), spread(1, j, label)) for label in real.occurring]
        return fmean(made / fresh if fresh > 0 else nan for fresh, made in spreads)

    return over_boxes(figure, real, generated)
