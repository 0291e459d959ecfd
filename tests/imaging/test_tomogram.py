"""Gaussians in closed form: their views, their tomogram, and the wedge of their transform."""

import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.tomogram import angular_shares_rad, back_project

SIDE, DEPTH, PIXEL_A, SIGMA_PX = 64, 48, 4.0, 2.0
POINTS_PX = np.array([[20, 30, 8], [44, 25, -10], [35, 40, 4.5], [28, 18, -3]])
WEIGHTS = np.array([1, 2, 3, 1.5])
CENTRE_PX = np.array([SIDE // 2, SIDE // 2, 0])


def turned(point, tilt_deg, axis_deg):
    """Rodrigues' formula, right-handed about the axis."""
    t, a = np.deg2rad(tilt_deg), np.deg2rad(axis_deg)
    axis = np.array([np.cos(a), np.sin(a), 0])
    along = axis * (axis @ point) * (1 - np.cos(t))
    return point * np.cos(t) + np.cross(axis, point) * np.sin(t) + along


def views(angles_deg, axis_deg, points_px=POINTS_PX, weights=WEIGHTS):
    y, x = np.mgrid[:SIDE, :SIDE]
    images = np.zeros((len(angles_deg), SIDE, SIDE))
    for image, angle_deg in zip(images, angles_deg, strict=True):
        for point, weight in zip(points_px, weights, strict=True):
            at = turned(point - CENTRE_PX, angle_deg, axis_deg) + CENTRE_PX
            height = weight * np.sqrt(2 * np.pi) * SIGMA_PX * PIXEL_A
            image += height * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 2 / SIGMA_PX**2)
    return torch.from_numpy(images)


def volume():
    z, y, x = np.mgrid[-DEPTH // 2 : DEPTH // 2, :SIDE, :SIDE]
    return sum(
        w * np.exp(-((x - p[0]) ** 2 + (y - p[1]) ** 2 + (z - p[2]) ** 2) / 2 / SIGMA_PX**2)
        for p, w in zip(POINTS_PX, WEIGHTS, strict=True)
    )


def shell_correlation(first, second):
    a, b = np.fft.fftn(first), np.fft.fftn(second)
    k = np.meshgrid(*(np.fft.fftfreq(side) for side in first.shape), indexing="ij")
    shell = (np.sqrt(sum(axis**2 for axis in k)) * SIDE).round().astype(int)
    cross = np.bincount(shell.ravel(), (a * b.conj()).real.ravel())
    powers = [np.bincount(shell.ravel(), (np.abs(f) ** 2).ravel()) for f in (a, b)]
    return cross / np.sqrt(powers[0] * powers[1])


@pytest.mark.parametrize("axis_deg", [90.0, 0.0, 35.0])
def test_half_a_turn_gives_the_volume_back(axis_deg):
    angles_deg = np.arange(-90, 90, 2.0).tolist()
    found = back_project(views(angles_deg, axis_deg), angles_deg, axis_deg, PIXEL_A, 192).numpy()
    true = volume()
    assert found.shape == true.shape
    assert (found - true).std() < 0.02 * true.std()
    assert (found * true).sum() / (true**2).sum() == pytest.approx(1, abs=0.01)  # volts
    assert shell_correlation(found, true)[: SIDE // 4].min() > 0.999


@pytest.mark.parametrize("axis_deg", [90.0, 35.0])
def test_missing_wedge_is_empty_and_the_rest_is_right(axis_deg):
    angles_deg = np.arange(-60, 61, 2.0).tolist()
    found = back_project(views(angles_deg, axis_deg), angles_deg, axis_deg, PIXEL_A, 192).numpy()
    got, true = np.fft.fftn(found), np.fft.fftn(volume())
    k_z, k_y, k_x = np.meshgrid(*(np.fft.fftfreq(side) for side in got.shape), indexing="ij")
    axis = np.deg2rad(axis_deg)
    across = np.abs(k_x * np.sin(axis) - k_y * np.cos(axis))
    elevation_deg = np.rad2deg(np.arctan2(np.abs(k_z), across))
    radius = np.sqrt(k_x**2 + k_y**2 + k_z**2)
    band = (radius > 0.04) & (radius < 0.15)
    wedge, rest = band & (elevation_deg > 66), band & (elevation_deg < 54)
    assert (np.abs(got[wedge]) ** 2).sum() < 0.02 * (np.abs(true[wedge]) ** 2).sum()
    error = (np.abs(got[rest] - true[rest]) ** 2).sum()
    assert error < 0.02 * (np.abs(true[rest]) ** 2).sum()


def test_each_point_stands_where_it_is_and_not_at_its_mirror():
    angles_deg = np.arange(-60, 61, 3.0).tolist()
    found = back_project(views(angles_deg, 80.0), angles_deg, 80.0, PIXEL_A, 192)
    x, y, z = (POINTS_PX + np.array([0, 0, DEPTH // 2])).round().astype(int).T
    there = found[z, y, x]
    assert (there > 0.6 * torch.from_numpy(WEIGHTS)).all()
    assert (found[DEPTH - z, y, x] < 0.25 * there).all()  # the other hand


@pytest.mark.parametrize("binning", [1, 2])
def test_centre_of_mass_is_exact_in_any_binning(binning):
    point = np.array([[25.3, 37.8, 5.6]])
    angles_deg = np.arange(-90, 90, 3.0).tolist()
    images = views(angles_deg, 90.0, point, [1.0])
    found = back_project(images, angles_deg, 90.0, PIXEL_A, 192, binning)
    depth = found.shape[0]
    assert found.shape == (DEPTH // binning, SIDE // binning, SIDE // binning)
    mass = found.clamp(min=0.1 * float(found.max())) - 0.1 * found.max()
    grids = torch.meshgrid(*(torch.arange(float(side)) for side in found.shape), indexing="ij")
    z, y, x = (float((grid * mass).sum() / mass.sum()) for grid in grids)
    at = np.array([x, y, z - depth // 2]) * binning
    assert at == pytest.approx(point[0], abs=0.05)


def test_reconstruction_is_linear_and_its_order_is_free():
    angles_deg = [-40.0, -10.0, 0.0, 25.0]
    images = views(angles_deg, 90.0)
    first = back_project(images, angles_deg, 90.0, PIXEL_A, 64)
    twice = back_project(2 * images.flip(0), angles_deg[::-1], 90.0, PIXEL_A, 64)
    assert torch.allclose(twice, 2 * first, atol=1e-5)


def test_shares_add_up_to_the_turn():
    half_turn = angular_shares_rad(np.arange(-90, 90, 3.0).tolist())
    assert half_turn.sum() == pytest.approx(np.pi)
    uneven = angular_shares_rad([10.0, 0.0, 30.0])
    assert np.rad2deg(uneven) == pytest.approx([15, 10, 20])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"angles_deg": [0.0, 1.0]}, "expected .* different angles"),
        ({"angles_deg": [0.0, 1.0, 1.0]}, "expected .* different angles"),
        ({"thickness_A": 0.5}, "thickness_A = 0.5"),
        ({"binning": 0}, "binning = 0"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"angles_deg": [-10.0, 0.0, 10.0], "thickness_A": 100.0, "binning": 1} | change
    with pytest.raises(CryoccdError, match=message):
        back_project(torch.zeros(3, 16, 16), axis_deg=90.0, pixel_size_A=4.0, **given)
