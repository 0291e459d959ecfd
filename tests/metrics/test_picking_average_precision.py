from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from cryoccd.metrics.picking.average_precision import average_precision, precision_recall
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.scored import Scored, score_picks


def part(rows, missed=0):
    """Rows of score and hit, and particles that no pick found."""
    scores = np.array([score for score, _ in rows], float)
    hits = np.array([hit for _, hit in rows], bool)
    return Scored(scores, hits, int(hits.sum()) + missed)


score = st.sampled_from([-inf, -1.5, 0.0, 0.25, 3.0])  # few values: ties within and between
parts_of = st.lists(
    st.builds(part, st.lists(st.tuples(score, st.booleans()), max_size=8), st.integers(0, 4)),
    max_size=4,
)


def by_hand(parts):
    """Every distinct score as a cut, from the definition."""
    n = sum(each.n_targets for each in parts)
    picks = [pair for each in parts for pair in zip(each.scores, each.hits, strict=True)]
    total, before = 0.0, 0
    for cut in sorted({value for value, _ in picks}, reverse=True):
        taken = [hit for value, hit in picks if value >= cut]
        total += sum(taken) / len(taken) * (sum(taken) - before) / n
        before = sum(taken)
    return total


@settings(deadline=None, max_examples=200)
@given(parts_of)
def test_it_is_the_definition(parts):
    if sum(each.n_targets for each in parts):
        assert average_precision(parts) == pytest.approx(by_hand(parts), abs=1e-12)
    else:
        assert isnan(average_precision(parts))


@settings(deadline=None, max_examples=100)
@given(parts_of)
def test_it_is_that_of_sklearn_times_the_share_of_targets_found(parts):
    scores = np.concatenate([np.empty(0), *(each.scores for each in parts)])
    hits = np.concatenate([np.empty(0, dtype=bool), *(each.hits for each in parts)])
    if not hits.any():
        return
    theirs = average_precision_score(hits, np.maximum(scores, -1e9))
    found = hits.sum() / sum(each.n_targets for each in parts)
    assert average_precision(parts) == pytest.approx(theirs * found, abs=1e-12)


def test_it_is_that_of_topaz():
    topaz = pytest.importorskip("topaz.metrics", reason="topaz-em is not installed")
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(1, 60))
        scores, hits = rng.integers(0, 20, n).astype(float), rng.random(n) < 0.6
        found = Scored(scores, hits, int(hits.sum()) + 5)
        # as its own command calls it: of float64 arrays Topaz 0.3.20 returns another value
        single = hits.astype(np.float32), scores.astype(np.float32)
        theirs = topaz.average_precision(*single, N=found.n_targets)
        assert average_precision([found]) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 4])
def test_picks_in_files_have_the_auprc_of_the_topaz_command(tmp_path, capsys, decimals):
    topaz = pytest.importorskip("topaz.metrics", reason="topaz-em is not installed")
    rng = np.random.default_rng(decimals)
    targets = ["image_name\tx_coord\ty_coord"]
    predicted = ["image_name\tx_coord\ty_coord\tscore"]
    parts = []
    for name, n, m in [("a", 60, 30), ("b", 10, 40), ("c", 50, 5), ("d", 30, 30)]:
        picks, true = rng.uniform(0, 200, (n, 2)), rng.uniform(0, 200, (m, 2))
        scores = rng.normal(0, 2, n).round(decimals)
        predicted += [f"{name}\t{x}\t{y}\t{s}" for (x, y), s in zip(picks, scores, strict=True)]
        targets += [f"{name}\t{x}\t{y}" for x, y in true]
        parts.append(score_picks(Picks(picks, scores), true, 12.0, None))
    for name, lines in (("targets", targets), ("predicted", predicted)):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    topaz.particle_prc(str(tmp_path / "targets"), str(tmp_path / "predicted"), 12, "target")
    printed = capsys.readouterr().out.splitlines()
    theirs = float(printed[0].split("auprc=")[1].split(",")[0])
    assert average_precision(parts) == pytest.approx(theirs, abs=1e-9)
    curve = precision_recall(parts)
    table = np.array([row.split("\t") for row in printed[2:]], float)
    np.testing.assert_allclose(table[:, 1], curve.precision)
    np.testing.assert_allclose(table[:, 2], curve.recall)


def test_one_hit_of_ten_particles_is_a_tenth():
    assert average_precision([part([(5.0, True)], missed=9)]) == pytest.approx(0.1)
    # the trap: missed particles as positives that come last
    trap = average_precision_score(np.ones(10), np.append(5.0, np.full(9, -1e9)))
    assert trap == pytest.approx(1.0)


def test_picks_of_one_score_are_one_bucket_whatever_their_order():
    first = part([(1.0, True), (1.0, False)])
    second = part([(1.0, False), (1.0, True)])
    assert average_precision([first]) == average_precision([second]) == pytest.approx(0.5)


def test_a_duplicate_pick_costs_precision():
    assert average_precision([part([(2.0, True), (1.0, True)])]) == 1.0
    duplicate = part([(2.0, True), (1.5, False), (1.0, True)])
    assert average_precision([duplicate]) == pytest.approx((1 + 2 / 3) / 2)


def test_micrographs_are_pooled_not_averaged():
    sure, unsure = part([(9.0, True)] * 3), part([(1.0, False), (0.5, True)], missed=2)
    assert average_precision([sure, unsure]) == pytest.approx((3 + 4 / 5) / 6)


@settings(deadline=None, max_examples=50)
@given(parts_of, st.randoms(use_true_random=False))
def test_the_order_of_micrographs_and_picks_changes_no_bit(parts, random):
    moved = []
    for each in random.sample(parts, len(parts)):
        order = random.sample(range(len(each.scores)), len(each.scores))
        moved.append(Scored(each.scores[order], each.hits[order], each.n_targets))
    one, two = precision_recall(parts), precision_recall(moved)
    np.testing.assert_array_equal(one.recall, two.recall)
    np.testing.assert_array_equal(one.precision, two.precision)
    np.testing.assert_array_equal(one.threshold, two.threshold)
    np.testing.assert_array_equal(average_precision(parts), average_precision(moved))


def test_an_empty_micrograph_changes_nothing_and_false_picks_on_it_cost():
    full, empty = part([(2.0, True), (1.0, True)]), part([])
    assert average_precision([full, empty]) == average_precision([full]) == 1.0
    assert average_precision([full, part([(1.5, False)])]) == pytest.approx((1 + 2 / 3) / 2)


def test_nothing_found_and_nothing_to_find():
    assert average_precision([part([], missed=3)]) == 0.0
    assert average_precision([part([(1.0, False)], missed=3)]) == 0.0
    assert isnan(average_precision([part([(1.0, False)])]))
    assert isnan(average_precision([]))
    assert precision_recall([part([], missed=3)]).best is None
    assert precision_recall([part([(1.0, False)])]).best is None


def test_the_curve_and_its_best_point():
    rows = [(4.0, True), (3.0, True), (2.0, False), (2.0, True), (1.0, False)]
    curve = precision_recall([part(rows, missed=1)])
    assert curve.threshold.tolist() == [4.0, 3.0, 2.0, 1.0]
    assert curve.recall == pytest.approx([1 / 4, 2 / 4, 3 / 4, 3 / 4])
    assert curve.precision == pytest.approx([1, 1, 3 / 4, 3 / 5])
    best = curve.best
    assert (best.threshold, best.precision, best.recall) == (2.0, 0.75, 0.75)
    assert best.f1 == pytest.approx(0.75)
    assert precision_recall([part([(1.0, False)], missed=1)]).best.f1 == 0.0
