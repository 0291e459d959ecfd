from math import isnan

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.agreement import agreement
from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.intervals import interval


def test_shares_of_two_annotators_are_pooled_over_micrographs():
    first = [np.array([[1.0, 1.0], [5.0, 5.0], [9.0, 9.0]]), np.array([[2.0, 2.0]])]
    second = [np.array([[1.0, 1.5], [5.0, 5.0]]), np.array([[2.0, 2.0], [7.0, 7.0], [9.0, 1.0]])]
    found = agreement(first, second, 1.0)
    assert found.precision == pytest.approx(3 / 4)
    assert found.recall == pytest.approx(3 / 5)
    assert found.f1 == pytest.approx(2 * 3 / (4 + 5))
    assert found.average_precision == pytest.approx(3 / 4 * 3 / 5)
    back = agreement(second, first, 1.0)
    assert (back.precision, back.recall) == pytest.approx((found.recall, found.precision))
    assert back.f1 == pytest.approx(found.f1)


def test_the_ignored_area_is_ignored():
    area = np.ones((10, 10), dtype=bool)
    area[:, 8:] = False
    first = [np.array([[2.0, 2.0], [9.0, 9.0]])]
    second = [np.array([[2.0, 2.0], [9.0, 1.0]])]
    assert agreement(first, second, 1.0).f1 == pytest.approx(0.5)
    assert agreement(first, second, 1.0, [area]).f1 == 1.0


def test_it_has_an_interval_over_micrographs():
    rng = np.random.default_rng(0)
    first = [rng.uniform(0, 50, (30, 2)) for _ in range(9)]
    second = [picks[rng.random(30) < 0.8] for picks in first]
    found = agreement(first, second, 1.0)
    ends = interval(found.parts, average_precision, 200)
    assert ends.low < found.average_precision < ends.high


def test_undefined_shares_and_unequal_lists():
    none, some = np.zeros((0, 2)), np.zeros((1, 2))
    assert isnan(agreement([none], [some], 1.0).precision)
    assert agreement([none], [some], 1.0).recall == 0.0
    assert isnan(agreement([some], [none], 1.0).recall)
    assert isnan(agreement([none], [none], 1.0).f1)
    with pytest.raises(CryoccdError, match="2 and 1 micrographs"):
        agreement([some, some], [some], 1.0)
    with pytest.raises(CryoccdError, match="areas of 2"):
        agreement([some], [some], 1.0, [None, None])
