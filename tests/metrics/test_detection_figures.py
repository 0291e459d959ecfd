import numpy as np
import pytest

from cryoccd.metrics.volume.detection import Counts
from cryoccd.metrics.volume.detection_figures import DETECTION, counted, detection_figures

RADII_A = {"fig": 60.0, "plum": 90.0}
ONE = {"fig": Counts(3, 6, 4), "plum": Counts(2, 2, 5)}
TWO = {"fig": Counts(4, 4, 4), "plum": Counts(0, 1, 2)}


def test_figures_are_those_of_all_counts_together():
    figures = detection_figures([ONE, TWO], [TWO, TWO])
    fig, plum = 17 * 7 / (10 + 16 * 8), 17 * 2 / (3 + 16 * 7)
    assert figures["f_beta"].value == pytest.approx((fig + plum) / 2)
    assert figures["f_beta"].note == f"fig {fig:.2f}, plum {plum:.2f}"
    assert figures["gain"].value == pytest.approx((fig + plum) / 2 - 0.5)
    assert figures["precision"].value == pytest.approx(9 / 13)
    assert figures["recall"].value == pytest.approx(9 / 15)
    assert set(figures) == {figure.name for figure in DETECTION}
    assert "gain" not in detection_figures([ONE])


def test_hits_of_a_class_are_counted_in_all_tomograms_before_its_score():
    rng = np.random.default_rng(0)
    far = np.arange(9)[:, None] * np.array([400.0, 0, 0])  # no two within reach of a pick
    true = [{name: far + rng.uniform(0, 9, 3) for name in RADII_A} for _ in range(3)]
    picks = [
        {"fig": places["fig"][:found] + 5, "plum": places["plum"][:4] + 40}  # 69 A: beyond 45
        for places, found in zip(true, (9, 6, 0), strict=True)
    ]
    counts = [counted(p, t, RADII_A) for p, t in zip(picks, true, strict=True)]
    figures = detection_figures(counts)
    assert figures["f_beta"].value == pytest.approx(17 * 15 / (15 + 16 * 27) / 2)
    assert figures["precision"].value == pytest.approx(15 / 27)


def test_intervals_are_over_tomograms():
    single = detection_figures([ONE])["f_beta"]
    assert (single.interval, single.ci_low, single.n) == ("none", None, 1)
    few = detection_figures([ONE, TWO], [TWO, ONE])
    assert few["f_beta"].interval == "range"
    alone = [detection_figures([each])["f_beta"].value for each in (ONE, TWO)]
    assert few["f_beta"].ci_low == pytest.approx(min(*alone, few["f_beta"].value))
    assert few["f_beta"].ci_high == pytest.approx(max(*alone, few["f_beta"].value))
    many = detection_figures([ONE, TWO] * 5, [ONE, TWO] * 5)
    assert many["f_beta"].interval == "jackknife95"
    assert many["f_beta"].ci_low < many["f_beta"].value < many["f_beta"].ci_high
    gain = many["gain"]  # pairs: what both have in common has no width
    assert (gain.value, gain.ci_low, gain.ci_high) == (0, 0, 0)


def test_no_picks_have_no_precision_and_a_class_that_is_absent_no_score():
    none = {"fig": Counts(0, 0, 4), "plum": Counts(0, 0, 0)}
    figures = detection_figures([none])
    assert figures["precision"].value is None
    assert figures["recall"].value == 0
    assert figures["f_beta"].note == "fig 0.00"
