"""One figure of a table, and how two figures compare.

A metric's distance from its ideal decides which of two figures is better: most metrics are smaller
when better; signed ones are compared by their distance from a target. Against the floor a figure
is compared by a one-sided z test: z = (d - d_floor) / sqrt(s^2 + s_floor^2), with the standard
errors s = (ci_high - ci_low) / (2 * 1.96) of the 95 % intervals.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from statistics import NormalDist, fmean, variance
from typing import Any

from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure as Described
from cryoccd.metrics.picking.task import FIGURES as PICKING
from cryoccd.metrics.pose.columns import MAPS, POSES
from cryoccd.metrics.standard import standard_figures
from cryoccd.metrics.volume.columns import LEVELS, VOLUMES
from cryoccd.metrics.volume.pose_error import FIGURES as POSE_ERRORS

_HALF_WIDTH = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Figure:
    """A value with its interval, over one seed or several.

    Args:
        value: mean over seeds, None where undefined.
        low: lower end of the interval, None where there is none.
        high: upper end.
        interval: kind of interval; "range" is none of confidence, "seeds" the range over seeds.
        n: number of micrographs.
        note: why it is undefined, or what else must be said.
        standard_error: of the value; None where no test is possible.
    """

    value: float | None
    low: float | None
    high: float | None
    interval: str
    n: int
    note: str
    standard_error: float | None


def combine(entries: Sequence[Mapping[str, Any]]) -> Figure:
    """The figure of one metric entry per seed: with several, the mean and the range over seeds.

    It is undefined where any seed's is. The standard error adds the scatter over seeds to that
    within a seed; the latter does not shrink with seeds, as these share their real micrographs.
    """
    note = "; ".join(dict.fromkeys(entry["note"] for entry in entries if entry["note"]))
    n = min(entry["n"] for entry in entries)
    values = [entry["value"] for entry in entries if entry["value"] is not None]
    if len(values) < len(entries):
        return Figure(None, None, None, "", n, note, None)
    errors = [_standard_error(entry) for entry in entries]
    known = [error for error in errors if error is not None]
    if len(entries) == 1:
        entry = entries[0]
        low, high, kind = entry["ci_low"], entry["ci_high"], entry["interval"]
        return Figure(values[0], low, high, kind, n, note, errors[0])
    whole = len(known) == len(entries)
    error = math.sqrt(fmean(known) ** 2 + variance(values) / len(values)) if whole else None
    return Figure(fmean(values), min(values), max(values), "seeds", n, note, error)


def over_seeds(entries: Sequence[Mapping[str, Metric]]) -> dict[str, Any]:
    """Plain values of one row: its figures over all seeds, and those of each seed."""
    seeds = [{name: asdict(metric) for name, metric in entry.items()} for entry in entries]
    whole = {name: asdict(combine([seed[name] for seed in seeds])) for name in entries[0]}
    return {"metrics": whole, "seeds": seeds}


def distance(metric: str, value: float) -> float:
    """How far a value is from the metric's ideal: smaller is better."""
    deep = metric.startswith(("fid_", "kid_", "cmmd_"))  # an unbiased one may fall below 0
    figure = _known().get(metric)
    ideal = figure.ideal if figure else 0.0 if deep else None
    return value if ideal is None else abs(value - ideal)


def p_better(metric: str, figure: Figure, floor: Figure) -> float | None:
    """One-sided p value of "no better than the floor"; None where it cannot be tested."""
    if figure.value is None or floor.value is None:
        return None
    if figure.standard_error is None or floor.standard_error is None:
        return None
    gain = distance(metric, figure.value) - distance(metric, floor.value)
    error = math.hypot(figure.standard_error, floor.standard_error)
    if error == 0:
        return 0.0 if gain < 0 else 1.0
    return NormalDist().cdf(gain / error)


def meaning(metric: str) -> str:
    """What a metric says and its ideal, in one line; empty where it is not known."""
    figure = _known().get(metric)
    return f"{figure.what}; ideal {figure.ideal:g}" if figure else ""


@cache
def _known() -> dict[str, Described]:
    others = (*PICKING, *POSES, *MAPS, *VOLUMES, *POSE_ERRORS, *LEVELS)
    return {**standard_figures(), **{each.name: each for each in others}}


def _standard_error(entry: Mapping[str, Any]) -> float | None:
    if entry["ci_low"] is None or entry["interval"] == "range":
        return None
    return float(entry["ci_high"] - entry["ci_low"]) / (2 * _HALF_WIDTH)
