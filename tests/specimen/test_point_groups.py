import re
import shutil
import subprocess

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix, matrix_to_euler
from cryoccd.specimen.equivalent_views import (
    reduce_to_asymmetric_unit,
    rotation_distance_deg,
    uniform_asymmetric_unit,
)
from cryoccd.specimen.symmetry import point_group

ORDERS = {"C1": 1, "C2": 2, "C7": 7, "D2": 4, "D7": 14, "T": 12, "O": 24, "I": 60} | {
    f"I{k}": 60 for k in (1, 2, 3, 4)
}


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
    assert has_axis(point_group("T"), [0, 0, 1], 3)
    assert has_axis(point_group("T"), [0, 2**0.5, 1], 2)
    assert all(has_axis(point_group("O"), axis, 4) for axis in np.eye(3))
    assert all(has_axis(point_group("I1"), axis, 2) for axis in np.eye(3))
    assert has_axis(point_group("I1"), [0, 1, golden], 5)
    assert has_axis(point_group("I1"), [1, 1, 1], 3)


@pytest.mark.parametrize("name", ["", "C0", "D", "Q", "c-3", "I2x"])
def test_unknown_groups_are_refused(name):
    with pytest.raises(CryoccdError, match="expected Cn, Dn, T, O, I1"):
        point_group(name)


def of_relion(name: str) -> np.ndarray:
    """The operators that RELION prints, five digits each."""
    command = ["relion_refine", "--sym", name, "--print_symmetry_ops"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    blocks = re.split(r"R\(\d+\)=", text)[1:]
    numbers = [re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", block)[:9] for block in blocks]
    return np.array(numbers, dtype=float).reshape(-1, 3, 3)


@pytest.mark.skipif(
    shutil.which("relion_refine") is None,
    reason="relion_refine is absent: install the system package relion",
)
@pytest.mark.parametrize("name", ["C5", "D2", "D7", "T", "O", "I", "I1", "I2", "I3", "I4"])
def test_operators_are_those_of_relion(name):
    theirs, ours = of_relion(name), point_group(name)
    assert len(theirs) == len(ours)
    apart = np.abs(theirs[:, None] - ours).max(axis=(2, 3))
    assert apart.min(axis=1).max() < 1e-4


def random_views(n, seed=0):
    return torch.from_numpy(Rotation.random(n, rng=seed).as_euler("ZYZ", degrees=True))


@pytest.mark.parametrize("name", ["C1", "C4", "D7", "T", "O", "I3"])
def test_distance_knows_equivalent_views(name):
    one, two = random_views(40), random_views(40, seed=1)
    moved, operators = [], point_group(name)
    for k, eulers in enumerate(two):
        operator = operators[k % len(operators)]
        moved.append(matrix_to_euler(euler_to_matrix(eulers) @ torch.from_numpy(operator)))
    moved = torch.stack(moved)
    between = rotation_distance_deg(one, two, name)
    assert torch.allclose(rotation_distance_deg(one, moved, name), between, atol=1e-4)
    assert rotation_distance_deg(two, moved, name).max() < 1e-4
    assert torch.allclose(rotation_distance_deg(two, one, name), between, atol=1e-4)
    plain = rotation_distance_deg(one, two)
    assert (between <= plain + 1e-4).all()
    if name == "C1":
        a, b = (euler_to_matrix(x).numpy() for x in (one, two))
        angle = Rotation.from_matrix(a @ b.transpose(0, 2, 1)).magnitude()
        assert plain.numpy() == pytest.approx(np.rad2deg(angle), abs=1e-4)
    else:
        # operators act on the map, before the view: from the other side they are no symmetry
        other = euler_to_matrix(two[0]).T @ torch.from_numpy(operators[1])
        assert rotation_distance_deg(two[0], matrix_to_euler(other.T), name) > 1


@pytest.mark.parametrize("name", ["C3", "D4", "T", "O", "I2"])
def test_the_asymmetric_unit_holds_one_of_each(name):
    views = random_views(300).numpy()
    reduced = reduce_to_asymmetric_unit(views, name)
    same = rotation_distance_deg(torch.from_numpy(views), torch.from_numpy(reduced), name)
    assert same.max() < 1e-3
    operators = point_group(name)
    turned = euler_to_matrix(torch.from_numpy(views)).numpy() @ operators[len(operators) // 2]
    again = reduce_to_asymmetric_unit(matrix_to_euler(torch.from_numpy(turned)).numpy(), name)
    apart = rotation_distance_deg(torch.from_numpy(reduced), torch.from_numpy(again))
    assert apart.max() < 1e-3


@pytest.mark.parametrize("name", ["C1", "D3", "O", "I4"])
def test_uniform_over_the_unit_is_uniform_over_all_when_the_group_acts(name):
    generator = np.random.default_rng(0)
    unit = euler_to_matrix(torch.from_numpy(uniform_asymmetric_unit(6000, name, generator)))
    operators = point_group(name)
    spread = unit.numpy() @ operators[generator.integers(0, len(operators), 6000)]
    view = spread[:, 2, :]
    for axis in range(3):
        assert stats.kstest(view[:, axis], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    # modulo the group the unit's directions fill the same share of the sphere
    inside = unit.numpy()[:, 2, :]
    if len(operators) > 1:
        assert np.linalg.norm(inside.mean(0)) > 0.4
