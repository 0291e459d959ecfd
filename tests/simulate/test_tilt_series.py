from dataclasses import replace

import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.tilt import tilt_scene
from cryoccd.records import Body, Debris, Optics, Particles, Scene, Volume
from cryoccd.simulate.tilt_config import TiltConfig, TomogramConfig
from cryoccd.simulate.tilt_series import reconstruct, simulate_tilts

SIDE, PIXEL_A = 80, 4.0
ARMS_PX = np.array([[0, 0, 0], [6, 0, 0], [0, 4.5, 0], [0, 0, 8]])  # x, y, z of one hand
WEIGHTS = np.array([4.0, 2.0, 1.0, 3.0])
FLAT = Optics(300, 0, 0, PIXEL_A, 0, 0, phase_shift_deg=90)  # a CTF of 1: views of the potential
LENS = Optics(300, 2.7, 0.1, PIXEL_A, 20000, 19000)


def particles(positions_A, eulers_deg):
    n = len(positions_A)
    none = np.zeros(n, dtype=np.int64)
    return Particles(np.array(positions_A, float), np.array(eulers_deg, float), none, none)


def scene(positions_A, eulers_deg, **change):
    cells = -(-SIDE // 8)
    ice_A = np.full((cells, cells), 400, np.float32)
    field = Scene(particles(positions_A, eulers_deg), ("tripod",), ice_A, (SIDE, SIDE), PIXEL_A)
    return replace(field, **change)


@pytest.fixture(scope="module")
def projectors():
    box = 32
    z, y, x = np.mgrid[:box, :box, :box] - box // 2
    values = sum(
        w * np.exp(-((x - a[0]) ** 2 + (y - a[1]) ** 2 + (z - a[2]) ** 2) / 4)
        for a, w in zip(ARMS_PX, WEIGHTS, strict=True)
    )
    return {"tripod": Projector(Volume(torch.from_numpy(values).float(), PIXEL_A))}


TWO = scene([(100, 180, 60), (212, 140, -40)], [(40, 70, -20), (-110, 35, 150)])


def test_a_turn_about_y_brings_height_to_x():
    moved = tilt_scene(TWO, 30, 90).particles
    centre_A = SIDE // 2 * PIXEL_A
    x_A, y_A, z_A = (TWO.particles.positions_A - [centre_A, centre_A, 0]).T
    cos, sin = np.cos(np.pi / 6), 0.5
    expected = np.stack([x_A * cos + z_A * sin, y_A, z_A * cos - x_A * sin], axis=1)
    assert np.allclose(moved.positions_A - [centre_A, centre_A, 0], expected)
    # every atom of a particle turns with the stage
    before = euler_to_matrix(torch.from_numpy(TWO.particles.eulers_deg)).numpy() @ ARMS_PX[3]
    after = euler_to_matrix(torch.from_numpy(moved.eulers_deg)).numpy() @ ARMS_PX[3]
    x, y, z = before.T
    assert np.allclose(after, np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=1))


def test_tilting_back_gives_the_scene():
    debris = (Debris("clump", particles([(90, 90, 20)], [(1, 2, 3)])),)
    field = replace(TWO, debris=debris)
    there = tilt_scene(field, 47, 20)
    assert not np.allclose(there.debris[0].members.positions_A, debris[0].members.positions_A)
    back = tilt_scene(there, -47, 20)
    for found, true in (
        (back.particles, TWO.particles),
        (back.debris[0].members, debris[0].members),
    ):
        assert np.allclose(found.positions_A, true.positions_A)
        assert np.allclose(
            euler_to_matrix(torch.from_numpy(found.eulers_deg)),
            euler_to_matrix(torch.from_numpy(true.eulers_deg)),
        )


def test_beam_crosses_the_ice_below_it():
    ramp_A = np.tile(np.linspace(200, 400, 10, dtype=np.float32), (10, 1))
    field = replace(TWO, ice_thickness_A=ramp_A)
    assert np.allclose(tilt_scene(field, 0, 90).ice_thickness_A, ramp_A)
    crossed_A = tilt_scene(field, 60, 0).ice_thickness_A  # the axis lies along the ramp
    assert np.allclose(crossed_A, 2 * ramp_A)
    across_A = tilt_scene(field, 60, 90).ice_thickness_A / 2
    slope = np.polyfit(np.arange(3, 7), across_A[5, 3:7], 1)[0]
    assert slope == pytest.approx(2 * 200 / 9, rel=1e-3)  # twice as steep
    wide = tilt_scene(field, 20, 90, shape_px=(48, 64))
    assert wide.shape_px == (48, 64)
    assert wide.ice_thickness_A.shape == (6, 8)


def test_bodies_are_drawn_at_the_turn_or_refused():
    patch = torch.ones(1, 4, 4)
    body = Body("carbon", (0, 0, 0), 0, 0, patch, (0.0,), patch[0] > 0)
    field = replace(TWO, bodies=(body,))
    with pytest.raises(CryoccdError, match="1 bodies"):
        tilt_scene(field, 10, 90)
    turns = []
    found = tilt_scene(field, 10, 90, bodies=lambda turn: (turns.append(turn), (body,))[1])
    assert found.bodies == (body,)
    assert turns[0][0, 2] == pytest.approx(np.sin(np.pi / 18))
    with pytest.raises(CryoccdError, match="tilt_deg = 85"):
        tilt_scene(TWO, 85, 90)


@pytest.mark.parametrize("axis_deg", [90.0, -12.0])
def test_tomogram_shows_each_particle_at_its_place_and_hand(projectors, axis_deg):
    tilts = TiltConfig(-60, 60, 4, axis_deg)
    series = simulate_tilts(TWO, projectors, FLAT, tilts, seed=0)
    tomogram = reconstruct(series, TomogramConfig(thickness_A=240, binning=1))
    dark = (-tomogram / tomogram.std()).numpy()
    depth = len(dark)

    def seen(arms_px):
        """Mean darkness at the arms of both particles."""
        total = []
        for row in series.particles.itertuples():
            angles = torch.tensor([row.rot_deg, row.tilt_deg, row.psi_deg], dtype=torch.float64)
            at = arms_px @ euler_to_matrix(angles).numpy().T
            at += np.array([row.x_A, row.y_A, row.z_A]) / PIXEL_A + [0, 0, depth // 2]
            x, y, z = at.round().astype(int).T
            total += dark[z, y, x].tolist()
        return np.array(total)

    assert (seen(ARMS_PX) > 4).all()
    for axis in range(3):  # the particle's other hand, by each of its mirrors
        mirrored = ARMS_PX * np.where(np.arange(3) == axis, -1, 1)
        arms = [1 + axis, 5 + axis]
        assert (seen(mirrored)[arms] < 0.4 * seen(ARMS_PX)[arms]).all()
    assert np.allclose(series.particles[["x_A", "y_A", "z_A"]], TWO.particles.positions_A)


def test_each_tilt_has_its_dose_focus_and_noise(projectors):
    tilts = TiltConfig(-40, 40, 20, focus_error_A=300)
    seen = {}

    def observe(exposure, pre_exposure_e_per_A2, exposure_e_per_A2, generator):
        defocus_A = exposure.particles["defocus_u_A"].to_numpy()
        seen[pre_exposure_e_per_A2] = exposure.optics.defocus_u_A - defocus_A
        assert exposure_e_per_A2 == 10
        return exposure.clean + torch.randn(exposure.clean.shape, generator=generator)

    series = simulate_tilts(TWO, projectors, LENS, tilts, 7, observe, 50)
    table = series.tilts
    assert table["angle_deg"].tolist() == [-40, -20, 0, 20, 40]
    assert table["acquisition"].tolist() == [3, 2, 0, 1, 4]
    assert table["pre_exposure_e_per_A2"].tolist() == [30, 20, 0, 10, 40]
    assert table["defocus_u_A"].std() == pytest.approx(300, rel=0.9)
    assert ((table["defocus_u_A"] - table["defocus_v_A"]) == 1000).all()
    centre_A = SIDE // 2 * PIXEL_A
    x_A, _, z_A = TWO.particles.positions_A.T
    for angle_deg, dose in zip(table["angle_deg"], table["pre_exposure_e_per_A2"], strict=True):
        angle = np.deg2rad(angle_deg)
        assert seen[dose] == pytest.approx(z_A * np.cos(angle) - (x_A - centre_A) * np.sin(angle))
    again = simulate_tilts(TWO, projectors, LENS, tilts, 7, observe, 50)
    assert torch.equal(again.images, series.images)
    residue = series.images - simulate_tilts(TWO, projectors, LENS, tilts, 7).images
    assert abs(float((residue[0] * residue[1]).mean())) < 0.06


def test_a_wider_scene_fills_the_field_of_the_camera(projectors):
    far = scene([(160, 160, 0), (296, 160, 0)], [(0, 0, 0), (0, 0, 0)])
    tilts = TiltConfig(-60, 60, 60)
    series = simulate_tilts(far, projectors, LENS, tilts, 0, shape_px=(48, 48))
    assert series.images.shape == (3, 48, 48)
    assert len(series.particles) == 1  # the other is outside at tilt 0
    row = series.particles.iloc[0]
    assert (row["x_A"], row["y_A"], row["instance_id"]) == (96, 96, 1)
    spread = series.images[:, 20:28, 38:].std(dim=(1, 2))
    assert (spread[[0, 2]] > 5 * spread[1]).all()  # at 60 degrees it stands at pixel 41


def test_order_of_acquisition():
    angles = np.array(TiltConfig(-9, 9, 3).angles_deg)
    order = np.argsort(TiltConfig(-9, 9, 3).acquisition)
    assert angles[order].tolist() == [0, 3, -3, -6, 6, 9, -9]  # Hagen, Wan & Briggs 2017
    assert TiltConfig(-9, 9, 3, order="continuous").acquisition == tuple(range(7))
    even = TiltConfig(-9, 6, 3)
    assert sorted(even.acquisition) == list(range(6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"highest_deg": 89}, "highest_deg = 89"),
        ({"step_deg": 7}, "step_deg = 7"),
        ({"step_deg": 0}, "step_deg = 0"),
        ({"lowest_deg": 60}, "lowest_deg = 60"),
        ({"order": "random"}, "order = 'random'"),
        ({"axis_deg": float("nan")}, "axis_deg = nan"),
    ],
)
def test_unphysical_schemes_are_refused(change, message):
    with pytest.raises(CryoccdError, match=message):
        TiltConfig(**change)
    with pytest.raises(CryoccdError, match="thickness_A = -1"):
        TomogramConfig(thickness_A=-1)
