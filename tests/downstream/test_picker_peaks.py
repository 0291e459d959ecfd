"""Non-maximum suppression against its definition, pixel by pixel."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoccd.downstream.picking.peaks import find_peaks
from cryoccd.errors import CryoccdError


def brute_force(scores, radius):
    """Greedy: (row, column) of the local maxima from the highest down, ties row by row."""
    height, width = scores.shape
    rank = {(y, x): (-scores[y, x], y, x) for y in range(height) for x in range(width)}
    maxima = []
    for y, x in rank:
        around = [
            (y + dy, x + dx)
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if (dy or dx) and (y + dy, x + dx) in rank
        ]
        if all(rank[y, x] < rank[other] for other in around):
            maxima.append((y, x))
    kept = []
    for y, x in sorted(maxima, key=rank.get):
        if all((y - v) ** 2 + (x - u) ** 2 > radius**2 for v, u in kept):
            kept.append((y, x))
    return kept


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    levels=st.integers(1, 30),
    radius=st.sampled_from([0.5, 1.5, 2.0, 3.0, 4.3]),
    seed=st.integers(0, 10**6),
)
def test_equal_to_the_definition_also_under_ties(height, width, levels, radius, seed):
    scores = np.random.default_rng(seed).integers(levels, size=(height, width)).astype(np.float32)
    found = find_peaks(torch.from_numpy(scores), radius, subpixel=False)
    expected = brute_force(scores, radius)
    assert found.positions_px.tolist() == [[x, y] for y, x in expected]
    assert found.scores.tolist() == [scores[y, x] for y, x in expected]


def test_a_plateau_has_one_peak():
    found = find_peaks(torch.ones(9, 7), 100.0)
    assert found.positions_px.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("centre", [(10.0, 12.0), (10.3, 11.6), (9.51, 12.49)])
def test_the_vertex_of_a_parabola_is_found_exactly(centre):
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(22.0), indexing="ij")
    scores = -((x - centre[0]) ** 2) - 2 * (y - centre[1]) ** 2
    np.testing.assert_allclose(find_peaks(scores, 50).positions_px, [centre], atol=1e-4)


def test_a_peak_on_the_border_stays_there():
    scores = torch.arange(6.0).expand(5, 6) - torch.tensor([2.0, 1.0, 0.0, 1.0, 2.0])[:, None]
    np.testing.assert_allclose(find_peaks(scores, 50).positions_px, [[5.0, 2.0]])


def test_a_score_that_is_no_number_is_refused():
    scores = torch.zeros(5, 5)
    scores[2, 2] = float("nan")
    with pytest.raises(CryoccdError, match="not finite"):
        find_peaks(scores, 2)
