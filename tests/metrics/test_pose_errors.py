import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.metrics.pose.errors import (
    geodesic_deg,
    in_plane_deg,
    nearest_mate,
    view_angle_deg,
)
from cryoccd.metrics.pose.poses import Poses
from cryoccd.specimen.equivalent_views import rotation_distance_deg
from cryoccd.specimen.symmetry import point_group


def random_rotations(n, seed):
    return torch.from_numpy(Rotation.random(n, rng=np.random.default_rng(seed)).as_matrix())


def turn(axis, degrees):
    axis = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    return torch.from_numpy(Rotation.from_rotvec(np.deg2rad(degrees) * axis).as_matrix())


def group(name):
    return torch.from_numpy(point_group(name))


def test_a_known_turn_of_the_view():
    a = random_rotations(50, 0)
    b = turn([1, 0, 0], 30) @ a
    for angle in (geodesic_deg, view_angle_deg):
        torch.testing.assert_close(angle(a, b), torch.full((50,), 30.0, dtype=torch.float64))
    assert float(in_plane_deg(a, b).max()) < 1e-10


def test_a_turn_in_the_plane_is_seen_by_the_geodesic_alone():
    a = random_rotations(50, 1)
    b = turn([0, 0, 1], -20) @ a
    expected = torch.full((50,), 20.0, dtype=torch.float64)
    torch.testing.assert_close(geodesic_deg(a, b), expected)
    torch.testing.assert_close(in_plane_deg(a, b), expected)
    assert float(view_angle_deg(a, b).max()) < 1e-10


def test_psi_is_in_the_plane_and_tilt_is_not():
    angles = torch.tensor([[10.0, 40.0, 70.0], [10.0, 40.0, 95.0], [10.0, 52.0, 70.0]])
    a, other_psi, other_tilt = euler_to_matrix(angles.double())[:, None]
    assert view_angle_deg(a, other_psi).item() == pytest.approx(0, abs=1e-10)
    assert in_plane_deg(a, other_psi).item() == pytest.approx(25)
    assert view_angle_deg(a, other_tilt).item() == pytest.approx(12)
    assert in_plane_deg(a, other_tilt).item() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("degrees", [1e-9, 1e-5, 90.0, 180 - 1e-5, 180 - 1e-9, 180.0])
def test_all_digits_near_0_and_180(degrees):
    axis = np.array([1.0, 2.0, -3.0])
    a = turn([1, 0, 0], 0)[None]
    b = turn(axis, degrees)[None]
    assert geodesic_deg(a, b).item() == pytest.approx(degrees, abs=1e-13)
    tilted = turn([0, 1, 0], degrees)[None]
    assert view_angle_deg(a, tilted).item() == pytest.approx(degrees, abs=1e-13)


def test_beyond_half_a_turn_the_other_way_is_nearer():
    a = random_rotations(1, 2)
    assert geodesic_deg(a, turn([0, 1, 1], 350) @ a).item() == pytest.approx(10)
    assert geodesic_deg(a, turn([0, 1, 1], 190) @ a).item() == pytest.approx(170)
    assert in_plane_deg(a, turn([0, 0, 1], 350) @ a).item() == pytest.approx(10)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_geodesic_is_made_of_view_and_in_plane(seed):
    a, b = random_rotations(1, seed), random_rotations(1, seed + 1)
    whole, view, plane = (
        torch.deg2rad(angle(a, b) / 2).cos().item()
        for angle in (geodesic_deg, view_angle_deg, in_plane_deg)
    )
    assert whole == pytest.approx(view * plane, abs=1e-12)
    scipy_deg = np.rad2deg((Rotation.from_matrix(a) * Rotation.from_matrix(b).inv()).magnitude())
    assert geodesic_deg(a, b).item() == pytest.approx(scipy_deg.item(), abs=1e-6)


@pytest.mark.parametrize("name", ["D7", "O", "C3", "T"])
def test_symmetry_against_brute_force(name):
    a, b, operators = random_rotations(200, 3), random_rotations(200, 4), group(name)
    geodesics = torch.stack([geodesic_deg(a, b @ g) for g in operators])
    views = torch.stack([view_angle_deg(a, b @ g) for g in operators])
    torch.testing.assert_close(geodesic_deg(a, b, operators), geodesics.amin(0))
    torch.testing.assert_close(view_angle_deg(a, b, operators), views.amin(0))
    planes = torch.stack([in_plane_deg(a, b @ g) for g in operators])
    of_the_nearest = planes.gather(0, geodesics.argmin(0)[None])[0]
    torch.testing.assert_close(in_plane_deg(a, b, operators), of_the_nearest)
    mates = torch.stack([b @ g for g in operators])
    nearest = mates[geodesics.argmin(0), torch.arange(200)]
    torch.testing.assert_close(nearest_mate(a, b, operators), nearest)


def test_mates_stand_on_the_side_of_the_object():
    angles = torch.from_numpy(np.random.default_rng(5).uniform(-180, 180, (2, 100, 3)))
    a, b = euler_to_matrix(angles)
    ours = geodesic_deg(a, b, group("D7"))
    torch.testing.assert_close(ours, rotation_distance_deg(*angles, symmetry="D7"))
    assert float(geodesic_deg(a, a @ group("D7")[9], group("D7")).max()) < 1e-5
    assert float(geodesic_deg(a, group("D7")[9] @ a, group("D7")).median()) > 20


def test_random_rotations():
    n = 40000
    a, b = random_rotations(n, 6), random_rotations(n, 7)
    geodesic, view = geodesic_deg(a, b), view_angle_deg(a, b)
    # density (1 - cos t) / pi: mean pi / 2 + 2 / pi, and t - sin t = pi / 2 at the median
    assert float(geodesic.mean()) == pytest.approx(126.476, abs=0.7)
    assert float(geodesic.median()) == pytest.approx(132.346, abs=0.9)
    assert float(view.mean()) == pytest.approx(90, abs=0.8)
    assert float(geodesic_deg(a, b, group("D7")).mean()) == pytest.approx(59.2, abs=0.5)


def test_single_precision_is_enough():
    a, b = random_rotations(100, 8), random_rotations(100, 9)
    torch.testing.assert_close(
        geodesic_deg(a.float(), b.float()), geodesic_deg(a, b), atol=1e-3, rtol=0
    )


def test_what_is_no_rotation_is_refused():
    good = random_rotations(4, 10)
    mirror, nan, scaled = good.clone(), good.clone(), good.clone()
    mirror[1] *= -1
    nan[2, 0, 0] = float("nan")
    scaled[:2] *= 1.01
    for bad, count in ((mirror, 1), (nan, 1), (scaled, 2)):
        with pytest.raises(CryoccdError, match=f"poses: {count} of 4 matrices are no rotations"):
            Poses(bad)
    with pytest.raises(CryoccdError, match=r"shape \(3, 3\), expected \(n, 3, 3\)"):
        Poses(good[0])
    with pytest.raises(CryoccdError, match=r"shifts of shape \(3, 2\), expected \(4, 2\)"):
        Poses(good, torch.zeros(3, 2))
    with pytest.raises(CryoccdError, match="shifts hold NaN"):
        Poses(good, torch.full((4, 2), float("nan")))
