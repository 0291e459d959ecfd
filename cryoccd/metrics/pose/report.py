"""Errors of estimated poses: unaligned, then after one global alignment, and what chance reaches.

A model trained in the frame of a map needs no alignment, so the unaligned errors come first. The
aligned ones are for what finds poses from images alone. Alignment and symmetry give something away
for free: with D7 random poses are 59 degrees from a mate in the mean, and 28 in view, not 126 and
90. So all is repeated with the estimates shuffled among the particles, which keeps their
distribution and loses their meaning, and stands beside each figure as chance.

Intervals hold the alignment fixed. Shifts are compared as they are: no shift of the map's origin is
fitted, and a method with an origin of its own is charged for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.alignment import Alignment, align, canonical_order
from cryoccd.metrics.pose.bootstrap import percentile_interval, resampling_weights
from cryoccd.metrics.pose.figures import chance_errors, errors_of, figures
from cryoccd.metrics.pose.poses import Poses
from cryoccd.metrics.statistics.intervals import Interval


@dataclass(frozen=True)
class Score:
    """One figure.

    Args:
        value: of the estimates.
        interval: over micrographs or particles.
        chance: mean over the shuffles.
        chance_range: least and largest of the shuffles.
    """

    value: float
    interval: Interval
    chance: float
    chance_range: tuple[float, float]


@dataclass(frozen=True)
class PoseErrors:
    """Errors of a set of poses.

    Args:
        unaligned: figures by name: KIND_mean_deg and KIND_median_deg of geodesic, view and
            in_plane, KIND_under_5deg, _10deg and _30deg (shares) of the first two, and
            shift_mean_A and shift_median_A where both sides have shifts.
        aligned: the angles again, after the global alignment of the same hand.
        alignment: rotation and hand.
        n_particles: compared.
        resampled: what the intervals are over, as "40 micrographs".
    """

    unaligned: Mapping[str, Score]
    aligned: Mapping[str, Score]
    alignment: Alignment
    n_particles: int
    resampled: str

    @property
    def mirrored_fits(self) -> bool:
        """Whether the mirrored hand fits better than this one and than every shuffle."""
        best_chance = self.aligned["geodesic_median_deg"].chance_range[0]
        alignment = self.alignment
        return alignment.hand == "mirrored" and alignment.mirrored_median_deg < best_chance

    def lines(self) -> list[str]:
        """The report in plain text."""
        lines = [f"{self.n_particles} particles, 95 % intervals over {self.resampled}"]
        for title, scores in (("unaligned", self.unaligned), ("aligned", self.aligned)):
            lines += [f"{title}:", *(_line(name, score) for name, score in scores.items())]
        same, mirrored = self.alignment.median_deg, self.alignment.mirrored_median_deg
        verdict = "would fit, and is not counted" if self.mirrored_fits else "does not fit better"
        lines.append(
            f"hand: median {same:.1f} degrees as estimated, {mirrored:.1f} mirrored; "
            f"the mirrored hand {verdict}"
        )
        return lines


def pose_errors(
    true: Poses,
    estimated: Poses,
    symmetry: Tensor | None = None,
    micrographs: Sequence[str] | None = None,
    seed: int = 0,
    n_shuffles: int = 20,
    n_resamples: int = 1000,
) -> PoseErrors:
    """Errors of estimates, with intervals and chance; the same whatever the order of the particles.

    Args:
        true: of n particles.
        estimated: of the same particles.
        symmetry: (g, 3, 3) operators of the object, in the frame of `true`.
        micrographs: n names; None where unknown, and intervals are then over particles.
        seed: of shuffles and resampling.
        n_shuffles: for chance.
        n_resamples: for the intervals.

    Raises:
        CryoccdError: not as many of each.
    """
    n = len(true)
    if len(estimated) != n or (micrographs is not None and len(micrographs) != n):
        names = "" if micrographs is None else f", {len(micrographs)} names of micrographs"
        raise CryoccdError(
            f"poses: {len(estimated)} estimated, {n} true{names}, expected as many of each"
        )
    order = canonical_order(true.rotations, estimated.rotations)
    true, estimated = true[order], estimated[order]
    groups, resampled = _groups(micrographs, order)
    weights = resampling_weights(groups, n_resamples, seed)
    alignment = align(true.rotations, estimated.rotations, symmetry)
    unaligned, aligned = errors_of(true, estimated, symmetry, alignment.rotation)
    chances = [chance_errors(true, estimated, symmetry, seed, k) for k in range(n_shuffles)]

    def scores(errors: Mapping[str, Tensor], chance: list[dict[str, Tensor]]) -> dict[str, Score]:
        once = torch.ones(1, n, dtype=torch.float64)
        values, spread = figures(errors, once), figures(errors, weights)
        shuffled = [figures(each, once) for each in chance]
        n_groups = int(groups.max()) + 1
        return {
            name: _score(value, spread[name], n_groups, [float(each[name]) for each in shuffled])
            for name, value in values.items()
        }

    return PoseErrors(
        scores(unaligned, [chance[0] for chance in chances]),
        scores(aligned, [chance[1] for chance in chances]),
        alignment,
        n,
        resampled,
    )


def _score(value: Tensor, spread: Tensor, n_groups: int, chance: list[float]) -> Score:
    interval = percentile_interval(spread, n_groups)
    return Score(float(value), interval, fmean(chance), (min(chance), max(chance)))


def _groups(micrographs: Sequence[str] | None, order: Tensor) -> tuple[Tensor, str]:
    """Group of each particle in the order given, and what the groups are."""
    if micrographs is None:
        return torch.arange(len(order)), f"{len(order)} particles (their micrographs are unknown)"
    names, groups = np.unique(np.asarray(micrographs), return_inverse=True)
    count = f"{len(names)} micrograph" + ("s" if len(names) > 1 else "")
    return torch.from_numpy(groups)[order], count


def _line(name: str, score: Score) -> str:
    interval = score.interval
    ends = "" if interval.low is None else f" [{interval.low:.3g}, {interval.high:.3g}]"
    low, high = score.chance_range
    chance = f"chance {score.chance:.3g} ({low:.3g} to {high:.3g})"
    return f"  {name} {score.value:.3g}{ends}, {chance}"
