from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.scored import Scored, counted_area, score_picks

NONE = np.zeros((0, 2))


def picks(*rows):
    x_y_score = np.array(rows, float).reshape(-1, 3)
    return Picks(x_y_score[:, :2], x_y_score[:, 2])


def left_half():
    """10 x 20 pixels, of which columns 0 to 9 count."""
    area = np.zeros((10, 20), dtype=bool)
    area[:, :10] = True
    return area


def outcome(scored):
    return scored.scores.tolist(), scored.hits.tolist(), scored.n_targets


def test_hits_misses_and_missed_targets():
    found = score_picks(
        picks((1, 1, 0.2), (5, 5, 0.9), (8, 1, 0.5)), np.array([[1, 2], [8, 8], [5, 5]]), 2.0, None
    )
    assert outcome(found) == ([0.9, 0.5, 0.2], [True, False, True], 3)


def test_the_second_pick_of_a_particle_is_a_miss_even_of_the_higher_score():
    found = score_picks(picks((1.5, 1, 0.9), (1, 1, 0.1)), np.array([[1.0, 1.0]]), 3.0, None)
    assert outcome(found) == ([0.9, 0.1], [False, True], 1)


def test_what_happens_in_the_ignored_area_is_neither_right_nor_wrong():
    area, targets = left_half(), np.array([[4.0, 4.0]])
    plain = outcome(score_picks(picks((4, 4, 1.0), (2, 8, 0.5)), targets, 2.0, area))
    assert plain == ([1.0, 0.5], [True, False], 1)
    more = np.array([[4.0, 4.0], [15.0, 5.0], [18.0, 2.0]])
    for extra in [
        (15, 5, 2.0),  # finds an ignored target
        (12, 9, 2.0),  # a miss there
        (-3, 4, 2.0),  # outside the image, on each side
        (25, 4, 2.0),
        (4, -1, 2.0),
        (4, 11, 2.0),
    ]:
        found = score_picks(picks((4, 4, 1.0), (2, 8, 0.5), extra), more, 2.0, area)
        assert outcome(found) == plain


def test_across_the_edge_of_the_area_the_target_decides():
    area = left_half()
    # a counted target found from outside the area; an ignored one found from inside
    assert outcome(score_picks(picks((10, 5, 1.0)), np.array([[9.0, 5.0]]), 3.0, area)) == (
        [1.0],
        [True],
        1,
    )
    assert outcome(score_picks(picks((9, 5, 1.0)), np.array([[10.0, 5.0]]), 3.0, area)) == (
        [],
        [],
        0,
    )


def test_an_ignored_particle_keeps_its_own_pick():
    # were ignored targets removed before matching, the pick at 10 would find the one at 8
    area, targets = left_half(), np.array([[8.0, 5.0], [10.0, 5.0]])
    assert outcome(score_picks(picks((10, 5, 1.0)), targets, 3.0, area)) == ([], [], 1)


def test_an_edge_is_in_the_middle_between_two_pixels():
    inside, outside = [(9.4, 9.4), (-0.4, -0.4)], [(9.6, 9.4), (9.4, 9.6), (-0.6, 0), (0, -0.6)]
    for target in [*inside, *outside]:
        part = score_picks(picks(), np.array([target], float), 1.0, left_half())
        assert part.n_targets == (target in inside)


coordinate = st.integers(-2, 22)
rows = st.lists(st.tuples(coordinate, coordinate, st.integers(0, 3)), max_size=12)


@settings(deadline=None, max_examples=100)
@given(rows, rows, st.randoms(use_true_random=False))
def test_neither_order_nor_more_empty_area_changes_anything(found, true, random):
    targets, area = picks(*true).positions_px, counted_area((20, 20), 2, None)
    part = score_picks(picks(*found), targets, 3.0, area)
    wider = np.pad(area, ((0, 9), (0, 4)), constant_values=False)
    assert outcome(score_picks(picks(*found), targets, 3.0, wider)) == outcome(part)
    shuffled = random.sample(found, len(found))
    moved = targets[random.sample(range(len(targets)), len(targets))]
    again = score_picks(picks(*shuffled), moved, 3.0, area)
    assert sorted(zip(again.scores, again.hits, strict=True)) == sorted(
        zip(part.scores, part.hits, strict=True)
    )
    a, b = average_precision([part]), average_precision([again])
    assert a == b or (a != a and b != b)


def test_true_negative_area_without_picks_changes_nothing():
    found, targets = picks((4, 4, 1.0), (2, 8, 0.5)), np.array([[4.0, 4.0], [8.0, 1.0]])
    small, large = (np.ones(shape, dtype=bool) for shape in ((10, 10), (400, 300)))
    assert outcome(score_picks(found, targets, 2.0, small)) == outcome(
        score_picks(found, targets, 2.0, large)
    )


def test_the_counted_area_is_what_margin_and_ruin_leave():
    ruined = np.zeros((5, 6), dtype=bool)
    ruined[2, 3] = True
    area = counted_area((5, 6), 1, ruined)
    expected = np.zeros((5, 6), dtype=bool)
    expected[1:4, 1:5] = True
    expected[2, 3] = False
    np.testing.assert_array_equal(area, expected)
    assert counted_area((5, 6), 0, None).all()
    assert not counted_area((5, 6), 3, None).any()


@pytest.mark.parametrize("margin", [-1, nan])
def test_a_margin_may_not_be_negative(margin):
    with pytest.raises(CryoccdError, match="margin_px"):
        counted_area((5, 5), margin, None)


def test_faulty_masks_and_statistics_are_refused():
    with pytest.raises(CryoccdError, match=r"\(6, 5\), expected \(5, 6\)"):
        counted_area((5, 6), 0, np.zeros((6, 5), dtype=bool))
    with pytest.raises(CryoccdError, match=r"\(2,\) and hits of shape \(1,\)"):
        Scored(np.zeros(2), np.ones(1, dtype=bool), 3)
    with pytest.raises(CryoccdError, match="2 hits of 1 targets"):
        Scored(np.zeros(2), np.ones(2, dtype=bool), 1)
    with pytest.raises(CryoccdError, match="nan"):
        Scored(np.array([nan]), np.zeros(1, dtype=bool), 1)
    with pytest.raises(CryoccdError, match="targets of shape"):
        score_picks(picks(), np.zeros((0, 3)), 1.0, None)
    assert outcome(score_picks(picks(), NONE, 1.0, None)) == ([], [], 0)
