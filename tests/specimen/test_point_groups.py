import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.specimen.symmetry import point_group

ORDERS = {"C1": 1, "C2": 2, "C7": 7, "D2": 4, "D7": 14, "T": 12, "O": 24, "I": 60}


def has_axis(operators, axis, fold):
    axis = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    turns = [g for g in operators if np.allclose(g @ axis, axis, atol=1e-9)]
    return len(turns) == fold


@pytest.mark.parametrize(("name", "order"), ORDERS.items())
def test_groups_are_groups_of_rotations(name, order):
    operators = point_group(name)
    assert operators.shape == (order, 3, 3)
    np.testing.assert_array_equal(operators[0], np.eye(3))
    np.testing.assert_allclose(np.linalg.det(operators), 1, atol=1e-12)
    np.testing.assert_allclose(
        operators @ operators.transpose(0, 2, 1), np.eye(3)[None].repeat(order, 0), atol=1e-12
    )
    products = np.einsum("aij,bjk->abik", operators, operators)
    distance = np.abs(products[:, :, None] - operators).max(axis=(-1, -2))
    table = distance.argmin(axis=2)
    assert distance.min(axis=2).max() < 1e-12  # closed
    assert all(len(set(row)) == order for row in table)  # a Latin square: no operator twice
    assert all(len(set(column)) == order for column in table.T)


def test_axes_stand_where_the_convention_says():
    golden = (1 + 5**0.5) / 2
    assert has_axis(point_group("C7"), [0, 0, 1], 7)
    assert has_axis(point_group("D7"), [0, 0, 1], 7)
    assert has_axis(point_group("D7"), [1, 0, 0], 2)
    assert has_axis(point_group("T"), [1, 1, 1], 3)
    assert all(has_axis(point_group("T"), axis, 2) for axis in np.eye(3))
    assert all(has_axis(point_group("O"), axis, 4) for axis in np.eye(3))
    assert all(has_axis(point_group("I"), axis, 2) for axis in np.eye(3))
    assert has_axis(point_group("I"), [0, 1, golden], 5)
    assert has_axis(point_group("I"), [1, 1, 1], 3)


@pytest.mark.parametrize("name", ["", "C0", "D", "Q", "c-3", "I2x"])
def test_unknown_groups_are_refused(name):
    with pytest.raises(CryoccdError, match="expected Cn, Dn, T, O or I"):
        point_group(name)
