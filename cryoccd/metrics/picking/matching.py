"""Which pick found which particle: the one-to-one assignment that Topaz scores by.

With distances d_ij and the radius r, the assignment is the one of least

    sum_(matched) min(d_ij^2 - r^2, 0) ,

and a pick is a hit where d < r strictly. Scores have no say, unlike in the greedy matching of COCO:
of two picks near one particle the nearer is the hit, the other a miss. (Topaz 0.3.20, `topaz
precision_recall_curve`: Bepler et al. 2019, Nat. Methods 16, 1153.)

A pair with d >= r costs nothing, as being unmatched does, so it may be left out. What remains is
sparse; each pick gets a column of its own for "unmatched", and in units of r^2, where that costs 2
and a match 1 + d^2 / r^2, every weight is positive and the least-cost full matching of the picks is
the one above.
"""

from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.picks import require_positions


def match(
    picks_px: NDArray[np.float64], targets_px: NDArray[np.float64], radius_px: float
) -> NDArray[np.int64]:
    """Target of every pick.

    Args:
        picks_px: (n, 2) x, y in pixels from the centre of pixel [0, 0].
        targets_px: (m, 2) particles, the same.
        radius_px: distance within which a pick may be a hit; one of exactly this is none.

    Returns:
        (n,) index of the target, -1 for a miss. It follows the picks into another order, also
        where assignments cost the same, unless their positions are equal.

    Raises:
        CryoccdError: positions that are not (n, 2) and finite, or a radius that is not above 0.
    """
    require_positions("picks", picks_px)
    require_positions("targets", targets_px)
    if not 0 < radius_px < inf:
        raise CryoccdError(f"radius_px = {radius_px}, expected above 0 (px)")
    target = np.full(len(picks_px), -1, dtype=np.int64)
    # assignments of equal cost are told apart by position, not by the order of the lists
    pick_order, target_order = (np.lexsort(p.T) for p in (picks_px, targets_px))
    picks, targets = cKDTree(picks_px[pick_order]), cKDTree(targets_px[target_order])
    pairs = picks.sparse_distance_matrix(targets, radius_px, output_type="ndarray")
    pairs = pairs[pairs["v"] < radius_px]
    if not len(pairs):
        return target
    near, row = np.unique(pairs["i"], return_inverse=True)
    own = np.arange(len(near))
    rows, columns = np.append(row, own), np.append(pairs["j"], len(targets_px) + own)
    costs = np.append(1 + (pairs["v"] / radius_px) ** 2, np.full(len(near), 2.0))
    graph = csr_array((costs, (rows, columns)), shape=(len(near), len(targets_px) + len(near)))
    matched, column = min_weight_full_bipartite_matching(graph)
    hit = column < len(targets_px)
    target[pick_order[near[matched[hit]]]] = target_order[column[hit]]
    return target
