from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume.detection import Counts, count_hits


def points(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 3)


def most_hits(picks: np.ndarray, particles: np.ndarray, reach_A: float) -> int:
    near = np.linalg.norm(picks[:, None] - particles[None], axis=2) <= reach_A
    for count in range(min(near.shape), 0, -1):
        for rows in combinations(range(near.shape[0]), count):
            for columns in permutations(range(near.shape[1]), count):
                if all(near[i, j] for i, j in zip(rows, columns, strict=True)):
                    return count
    return 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 4))
def test_hits_are_as_many_as_can_be_one_to_one(seed, n, m):
    rng = np.random.default_rng(seed)
    picks, particles = rng.uniform(0, 100, (n, 3)), rng.uniform(0, 100, (m, 3))
    counts = count_hits(picks, particles, 100.0)
    assert counts == Counts(most_hits(picks, particles, 50.0), n, m)


def test_half_a_radius_is_the_end_and_is_inside():
    truth = points((0, 0, 0))
    assert count_hits(points((30, 0, 0)), truth, 60).hits == 1
    assert count_hits(points((30.01, 0, 0)), truth, 60).hits == 0


def test_a_pick_is_not_shared():
    near = points((0, 0, 0), (10, 0, 0))
    assert count_hits(points((5, 0, 0)), near, 60).hits == 1
    assert count_hits(near, points((5, 0, 0)), 60).hits == 1


def test_f_beta_is_the_weighted_harmonic_mean():
    counts = Counts(6, 10, 8)
    precision, recall = 6 / 10, 6 / 8
    assert counts.f_beta(4) == pytest.approx(17 * precision * recall / (16 * precision + recall))
    assert counts.f_beta(1) == pytest.approx(2 * 6 / 18)
    assert Counts(3, 3, 3).f_beta() == 1
    assert np.isnan(Counts(0, 0, 0).f_beta())
    # false picks cost little, misses much
    assert Counts(5, 10, 5).f_beta() > 0.9 > 0.6 > Counts(5, 5, 10).f_beta()


def test_bad_picks_are_refused():
    with pytest.raises(CryoccdError, match="shape \\(2, 2\\)"):
        count_hits(np.zeros((2, 2)), np.zeros((1, 3)), 60)
    with pytest.raises(CryoccdError, match="finite"):
        count_hits(points((0, np.nan, 0)), np.zeros((1, 3)), 60)
    with pytest.raises(CryoccdError, match="radius_A = 0"):
        count_hits(np.zeros((1, 3)), np.zeros((1, 3)), 0)
