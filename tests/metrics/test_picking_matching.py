from itertools import permutations
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.matching import match
from cryoccd.metrics.picking.picks import Picks


def points(coordinate, most):
    one = st.tuples(coordinate, coordinate)
    return st.lists(one, max_size=most).map(lambda rows: np.array(rows, float).reshape(-1, 2))


grid = st.integers(0, 6)  # many equal distances and coinciding points
smooth = st.floats(0, 6, allow_nan=False, width=32)


def costs(picks, targets, radius):
    squares = ((picks[:, None] - targets[None]) ** 2).sum(-1)
    return np.minimum(squares - radius**2, 0)


def paid(target, picks, targets, radius):
    hits = np.flatnonzero(target >= 0)
    return costs(picks, targets, radius)[hits, target[hits]].sum()


def cheapest(picks, targets, radius):
    """By trying every assignment."""
    cost = costs(picks, targets, radius)
    if len(picks) > len(targets):
        cost = cost.T
    few, many = cost.shape
    return min(cost[range(few), list(order)].sum() for order in permutations(range(many), few))


@pytest.mark.parametrize("coordinate", [grid, smooth])
def test_the_assignment_is_one_to_one_within_the_radius_and_the_cheapest_of_all(coordinate):
    @settings(deadline=None, max_examples=150)
    @given(points(coordinate, 5), points(coordinate, 5), st.sampled_from([0.5, 1.0, 2.0, 5.0]))
    def check(picks, targets, radius):
        target = match(picks, targets, radius)
        hits = np.flatnonzero(target >= 0)
        assert target.shape == (len(picks),)
        assert len(set(target[hits])) == len(hits)
        assert (np.linalg.norm(picks[hits] - targets[target[hits]], axis=1) < radius).all()
        best = cheapest(picks, targets, radius)
        assert paid(target, picks, targets, radius) == pytest.approx(best, abs=1e-9)

    check()


@pytest.mark.parametrize("radius", [5.0, 20.0, 60.0])
def test_a_crowded_micrograph_is_matched_as_by_the_dense_matrix(radius):
    rng = np.random.default_rng(0)
    picks, targets = rng.uniform(0, 500, (700, 2)), rng.uniform(0, 500, (300, 2))
    target = match(picks, targets, radius)
    cost = costs(picks, targets, radius)
    rows, columns = linear_sum_assignment(cost)
    used = cost[rows, columns] < 0
    expected = np.full(len(picks), -1)
    expected[rows[used]] = columns[used]
    np.testing.assert_array_equal(target, expected)


def test_topaz_matches_the_same():
    topaz = pytest.importorskip("topaz.algorithms", reason="topaz-em is not installed")
    rng = np.random.default_rng(1)
    for _ in range(50):
        n, m = rng.integers(1, 40, 2)
        picks, targets = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (m, 2))
        radius = rng.uniform(3, 40)
        theirs, _ = topaz.match_coordinates(targets, picks, radius)
        np.testing.assert_array_equal(match(picks, targets, radius) >= 0, theirs > 0)


def test_a_pick_at_exactly_the_radius_is_a_miss():
    target = np.array([[3.0, 4.0]])
    assert match(np.zeros((1, 2)), target, 5.0).tolist() == [-1]
    assert match(np.zeros((1, 2)), target, np.nextafter(5.0, 6.0)).tolist() == [0]


def test_the_nearest_of_several_picks_takes_the_target_and_the_others_miss():
    picks = np.array([[2.0, 0.0], [-1.0, 0.0], [0.0, 1.5]])
    assert match(picks, np.zeros((1, 2)), 3.0).tolist() == [-1, 0, -1]


def test_a_pick_gives_way_where_both_targets_are_then_found():
    # nearest first would take the target at 0 with the pick at 1, and lose the one at 3.5
    picks = np.array([[1.0, 0.0], [-1.5, 0.0]])
    targets = np.array([[0.0, 0.0], [3.5, 0.0]])
    assert match(picks, targets, 3.0).tolist() == [1, 0]


def test_it_follows_picks_and_targets_into_another_order_even_where_costs_are_equal():
    rng = np.random.default_rng(2)
    cells = np.stack(np.meshgrid(range(9), range(9)), -1).reshape(-1, 2).astype(float)
    for _ in range(30):
        picks, targets = (cells[rng.permutation(81)[:25]] for _ in range(2))
        target = match(picks, targets, 2.5)
        p, t = rng.permutation(25), rng.permutation(25)
        moved = match(picks[p], targets[t], 2.5)
        np.testing.assert_array_equal(np.where(moved >= 0, t[moved], -1), target[p])


def test_nothing_to_match():
    some, none = np.zeros((3, 2)), np.zeros((0, 2))
    assert match(some, none, 1.0).tolist() == [-1, -1, -1]
    assert match(none, some, 1.0).shape == (0,)
    assert match(some, some + 10, 1.0).tolist() == [-1, -1, -1]


@pytest.mark.parametrize("radius", [0.0, -1.0, nan, inf])
def test_a_radius_must_be_above_zero(radius):
    with pytest.raises(CryoccdError, match="radius_px = "):
        match(np.zeros((1, 2)), np.zeros((1, 2)), radius)


@pytest.mark.parametrize(
    ("positions", "scores", "message"),
    [
        (np.zeros((2, 3)), np.zeros(2), r"\(2, 3\), expected \(n, 2\)"),
        (np.zeros(4), np.zeros(2), r"\(4,\), expected \(n, 2\)"),
        (np.array([[0.0, 1.0], [2.0, inf]]), np.zeros(2), r"row 1 is \[2.0, inf\]"),
        (np.zeros((2, 2)), np.zeros(3), r"scores of shape \(3,\), expected \(2,\)"),
        (np.zeros((2, 2)), np.array([0.0, nan]), "score 1 is nan"),
    ],
)
def test_faulty_picks_are_refused_in_one_line(positions, scores, message):
    with pytest.raises(CryoccdError, match=message) as caught:
        Picks(positions, scores)
    assert "\n" not in str(caught.value)


def test_the_least_sure_score_is_allowed():
    assert Picks(np.zeros((1, 2)), np.array([-inf])).scores[0] == -inf
