"""The figures of poses and maps that tables have, with their ideals."""

from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure
from cryoccd.metrics.pose.report import PoseErrors, Score
from cryoccd.metrics.pose.resolution import Resolution

POSES = (
    Figure("geodesic_median_deg", 0.0, "angle between true and estimated rotation, median"),
    Figure("geodesic_mean_deg", 0.0, "the same, mean"),
    Figure("view_median_deg", 0.0, "angle between true and estimated view, median"),
    Figure("aligned_geodesic_median_deg", 0.0, "geodesic_median_deg after one global rotation"),
    Figure("geodesic_under_10deg", 1.0, "share of particles within 10 degrees"),
    Figure("shift_median_A", 0.0, "distance of the estimated centre from the true one, median"),
)
"""What is said of poses; a note has what chance reaches."""

MAPS = (
    Figure("fsc_truth_A", 0.0, "resolution at which the map's FSC with the truth falls to 0.5"),
    Figure("fsc_half_A", 0.0, "resolution at which the FSC of half-maps falls to 0.143"),
)
"""What is said of a map."""


def pose_metrics(errors: PoseErrors, micrographs: int) -> dict[str, Metric]:
    """The figures of poses."""
    scores = dict(errors.unaligned)
    scores["aligned_geodesic_median_deg"] = errors.aligned["geodesic_median_deg"]
    return {
        figure.name: _metric(scores[figure.name], micrographs)
        for figure in POSES
        if figure.name in scores
    }


def map_metrics(found: Resolution, micrographs: int) -> dict[str, Metric]:
    """The figures of a map; they have no interval."""
    half_A = found.half_map_A
    note = "" if half_A is not None else "no half-maps"
    return {
        "fsc_truth_A": Metric(found.truth_A, None, None, micrographs, "none", ""),
        "fsc_half_A": Metric(half_A, None, None, micrographs, "none", note),
    }


def _metric(score: Score, micrographs: int) -> Metric:
    ends, note = score.interval, f"chance {score.chance:.3g}"
    return Metric(score.value, ends.low, ends.high, micrographs, ends.kind, note)
