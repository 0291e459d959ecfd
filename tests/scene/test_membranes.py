"""Membranes against closed forms: areas, distances, projected mass, where they may lie."""

import logging

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from cryoccd.errors import CryoccdError
from cryoccd.scene.field import Field
from cryoccd.scene.membranes import Ellipsoids, Planes, Tubes, Vesicles, render
from cryoccd.scene.membranes.monge import Plane
from cryoccd.scene.membranes.profile import bilayer_V, integrated_V_A
from cryoccd.scene.membranes.surfaces import Ellipsoid, Tube

CENTRE = np.array([601.0, 498.0, 37.0])
FRAME = Rotation.from_euler("zyx", [0.4, 0.9, -0.7]).as_matrix()
WAVES = np.array([[0.006, 0.002], [-0.003, 0.007]])
SPHERE = Ellipsoid(CENTRE, FRAME, np.full(3, 300.0), 50.0)
EGG = Ellipsoid(CENTRE, FRAME, np.array([350.0, 260.0, 150.0]), 50.0)
TUBE = Tube(CENTRE, FRAME, 120.0, 250.0, 50.0)
FLAT = Plane(CENTRE, FRAME, np.array([300.0, 200.0]), 50.0)
WAVY = Plane(CENTRE, FRAME, np.array([300.0, 200.0]), 50.0, 8.0, WAVES, np.array([0.3, 1.0]))
SHEET_V_A = 2 * quad(lambda d: bilayer_V(np.array(d), 50.0), 0, 100)[0]


def mass(body, pixel_size_A):
    return float(body.potential_V_A.double().sum()) * pixel_size_A**2


def field(thickness_A=1500.0, side=320):
    thickness = np.full((side // 8, side // 8), thickness_A, dtype=np.float32)
    return Field((side, side), 5.0, thickness, 50.0)


def test_profile_has_dark_heads_a_light_middle_and_its_integral():
    distance = np.linspace(-60, 60, 2401)
    volts = bilayer_V(distance, 50.0)
    assert abs(distance[volts.argmax()]) == pytest.approx(18, abs=1)
    assert volts[1200] < 0 < volts.max() < 2
    for blur in (0.0, 5.0):
        total = np.trapezoid(bilayer_V(distance, 50.0, blur), distance)
        assert total == pytest.approx(integrated_V_A(), rel=1e-3)
    assert integrated_V_A() == pytest.approx(SHEET_V_A, rel=1e-6)


@pytest.mark.parametrize("surface", [SPHERE, EGG, TUBE, FLAT, WAVY])
def test_samples_lie_on_the_surface_with_unit_outward_normals(surface):
    points, normals = surface.sample(2000, np.random.default_rng(0))
    assert np.abs(surface.distance_A(points)).max() < 1e-6
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1)
    for step in (-3.0, 3.0):
        moved = surface.distance_A(points + step * normals)
        # waves: first order in the slope; tubes and planes: at the rim the normal leaves the patch
        assert moved == pytest.approx(step, abs=0.1 if surface is WAVY else 1e-6)


def test_areas_agree_with_a_triangulation_and_samples_are_uniform_by_area():
    u, v = np.meshgrid(np.linspace(0, np.pi, 801), np.linspace(0, 2 * np.pi, 801), indexing="ij")
    unit = np.stack([np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)], axis=-1)
    grid = unit * EGG.semi_axes_A
    cells = np.linalg.norm(
        np.cross(grid[1:, 1:] - grid[:-1, :-1], grid[1:, :-1] - grid[:-1, 1:]), axis=-1
    )
    assert EGG.area_A2 == pytest.approx(cells.sum() / 2, rel=1e-4)
    points, _ = EGG.sample(20000, np.random.default_rng(1))
    own = (points - CENTRE) @ FRAME / EGG.semi_axes_A
    share = cells.sum(axis=1)[:, None].cumsum() / cells.sum()
    polar = np.arccos(np.clip(own[:, 2], -1, 1))
    cdf = np.interp(polar, np.linspace(0, np.pi, 801)[1:], share)
    assert kstest(cdf, "uniform").pvalue > 1e-3
    naive = np.arccos(np.random.default_rng(2).uniform(-1, 1, 20000))  # a stretched sphere
    wrong = np.interp(naive, np.linspace(0, np.pi, 801)[1:], share)
    assert kstest(wrong, "uniform").pvalue < 1e-6


def test_distance_of_an_ellipsoid_is_that_of_its_nearest_point():
    points = CENTRE + np.random.default_rng(3).uniform(-450, 450, (12, 3))
    for point, found in zip(points, EGG.distance_A(points), strict=True):
        own = (point - CENTRE) @ FRAME

        def apart(angles, own=own):
            polar, azimuth = angles
            unit = np.array(
                [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)]
            )
            return np.linalg.norm(unit * EGG.semi_axes_A - own)

        starts = [(p, a) for p in (0.5, 1.5, 2.5) for a in (0.5, 2, 3.5, 5)]
        least = min(minimize(apart, s, method="Nelder-Mead").fun for s in starts)
        assert abs(found) == pytest.approx(least, abs=0.05)
        assert (found > 0) == (np.linalg.norm(own / EGG.semi_axes_A) > 1)
    assert SPHERE.distance_A(CENTRE[None])[0] == pytest.approx(-300, rel=1e-4)


def test_beyond_the_rim_the_distance_is_that_from_the_rim():
    point = CENTRE + FRAME @ np.array([330.0, 0.0, 40.0])
    assert FLAT.distance_A(point[None])[0] == pytest.approx(50)
    assert FLAT.side_A(point[None])[0] == pytest.approx(40)


@pytest.mark.parametrize("pixel_size_A", [2.0, 5.0, 9.0])
@pytest.mark.parametrize("surface", [TUBE, FLAT, WAVY])
def test_projected_mass_is_area_times_integrated_profile(surface, pixel_size_A):
    side = round(1200 / pixel_size_A)
    body = render(surface, (side, side), pixel_size_A)
    assert mass(body, pixel_size_A) == pytest.approx(surface.area_A2 * SHEET_V_A, rel=3e-3)


@pytest.mark.parametrize("pixel_size_A", [2.0, 6.0])
def test_projected_mass_of_a_sphere_counts_its_curvature(pixel_size_A):
    """4 pi times the integral of V(d) (R + d)^2: the outer leaflet is the larger."""
    side = round(1200 / pixel_size_A)
    blur_A = pixel_size_A / 2
    shell = quad(lambda d: bilayer_V(np.array(d), 50.0, blur_A) * (300 + d) ** 2, -80, 80)[0]
    body = render(SPHERE, (side, side), pixel_size_A)
    assert mass(body, pixel_size_A) == pytest.approx(4 * np.pi * shell, rel=3e-4)


def test_through_the_middle_of_a_sphere_two_sheets_are_seen():
    body = render(SPHERE, (600, 600), 2.0)
    row, column = round(498 / 2) - body.top_px, round(601 / 2) - body.left_px
    image = body.potential_V_A.sum(0)
    assert float(image[row, column]) == pytest.approx(2 * SHEET_V_A, rel=0.01)
    # along a chord at distance b from the axis: 2 integral V(sqrt(b^2 + z^2) - R) dz
    for b in (150.0, 280.0, 300.0, 316.0):
        exact = (
            2
            * quad(lambda z, b=b: bilayer_V(np.hypot(b, z) - 300.0, 50.0, 1.0), 0, 400, limit=400)[
                0
            ]
        )
        at = column + (601 - 600 + b) / 2  # the column's centre lies at 600
        low = int(at)
        found = torch.lerp(image[row, low], image[row, low + 1], at - low)
        assert float(found) == pytest.approx(exact, rel=0.02)


def test_a_plane_edge_on_shows_its_profile_times_its_depth():
    edge = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # the normal lies along -y
    plane = Plane(np.array([600.0, 600.0, 0.0]), edge, np.array([400.0, 150.0]), 50.0)
    body = render(plane, (1200, 1200), 1.0)
    image = body.potential_V_A.sum(0)
    column = image[:, 600 - body.left_px].double().numpy()
    offset = body.top_px + np.arange(len(column)) - 600.0
    exact = 300.0 * bilayer_V(offset, 50.0, 0.5)
    assert column == pytest.approx(exact, abs=0.02 * exact.max())
    assert column[np.abs(offset).argmin()] < 0  # the tails are lighter than ice
    assert body.footprint[:, 600 - body.left_px].sum() == pytest.approx(51, abs=1)


def test_layers_lie_at_their_heights_and_are_no_thicker_than_100_A():
    body = render(SPHERE, (600, 600), 2.0)
    share = body.potential_V_A.double().sum((1, 2)).numpy()
    z_A = np.array(body.z_A)
    assert np.diff(z_A) == pytest.approx(100)
    assert (share * z_A).sum() / share.sum() == pytest.approx(37, abs=1)
    # a sphere has the same area in each slice of equal height
    inside = np.abs(z_A - 37) < 200
    assert share[inside] == pytest.approx(share[inside].mean(), rel=0.05)


def test_the_field_cuts_and_what_lies_outside_is_none():
    whole = render(SPHERE, (240, 240), 5.0)
    cut = render(SPHERE, (100, 120), 5.0)
    assert (cut.top_px, cut.left_px) == (whole.top_px, whole.left_px)
    assert cut.top_px + cut.footprint.shape[0] == 100
    rows, columns = cut.footprint.shape
    assert torch.allclose(cut.potential_V_A, whole.potential_V_A[:, :rows, :columns], atol=0.05)
    assert render(SPHERE, (30, 30), 5.0) is None
    assert render(SPHERE, (30, 30), 5.0, margin_A=200.0) is not None


def test_a_turn_of_the_scene_is_that_of_the_surface():
    turn = Rotation.from_euler("y", 50, degrees=True).as_matrix()
    pivot = np.array([600.0, 600.0, 0.0])
    turned = Tube(turn @ (CENTRE - pivot) + pivot, turn @ FRAME, 120.0, 250.0, 50.0)
    found = render(TUBE, (300, 300), 4.0, rotation=turn, pivot_A=pivot)
    expected = render(turned, (300, 300), 4.0)
    canvases = []
    for body in (found, expected):
        canvas = torch.zeros(300, 300)
        rows, columns = body.footprint.shape
        canvas[body.top_px :, body.left_px :][:rows, :columns] = body.potential_V_A.sum(0)
        canvases.append(canvas)
    assert found.position_A == pytest.approx(expected.position_A)
    difference = (canvases[0] - canvases[1]).abs().max()
    assert float(difference) < 0.03 * float(canvases[1].max())


@pytest.mark.parametrize(
    "law",
    [
        Vesicles(mean=6, radius_A=(150, 400)),
        Ellipsoids(mean=6),
        Tubes(mean=3),
        Planes(mean=3, lean_deg=(0, 5)),
    ],
)
def test_drawn_membranes_stay_in_the_ice_and_apart(law, caplog):
    room = field()
    caplog.set_level(logging.ERROR)
    for seed in range(3):
        drawn = law.draw(room, (), np.random.default_rng(seed))
        for index, one in enumerate(drawn):
            points, _ = one.sample(3000, np.random.default_rng(9))
            assert np.abs(points[:, 2]).max() <= 750 + 30  # the waves of a plane bend its rim
            for other in drawn[:index]:
                near = np.abs(other.distance_A(points)).min()
                assert near >= 0.8 * (one.thickness_A + other.thickness_A) / 2


def test_laws_keep_clear_of_what_others_placed_and_say_what_found_no_room(caplog):
    room = field()
    planes = Planes(mean=12).draw(room, (), np.random.default_rng(1))
    assert 1 <= len(planes) < 12
    assert "found room" in caplog.text
    vesicles = Vesicles(mean=4, radius_A=(100, 150)).draw(room, planes, np.random.default_rng(2))
    assert len(vesicles) >= 1
    for vesicle in vesicles:
        points, _ = vesicle.sample(500, np.random.default_rng(3))
        assert min(np.abs(plane.distance_A(points)).min() for plane in planes) > 40


def test_draws_repeat_and_may_be_empty():
    first, again = (Vesicles().draw(field(), (), np.random.default_rng(4)) for _ in range(2))
    assert all((a.centre_A == b.centre_A).all() for a, b in zip(first, again, strict=True))
    assert Tubes(mean=0).draw(field(), (), np.random.default_rng(0)) == ()


@pytest.mark.parametrize(
    ("law", "field_name", "value"),
    [
        (Vesicles, "radius_A", (400.0, 200.0)),
        (Vesicles, "mean", -1.0),
        (Ellipsoids, "flatness", 0.0),
        (Tubes, "thickness_A", 5.0),
        (Planes, "lean_deg", (0.0, 120.0)),
        (Planes, "undulation_A", 200.0),
    ],
)
def test_unphysical_membranes_are_refused(law, field_name, value):
    with pytest.raises(CryoccdError, match=field_name):
        law(**{field_name: value})
