"""Faults of the geometry of tilt series are planted, caught and named; the right labels pass."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from planting import change_image, change_table, copied, sign
from tilt_plants import CONFIG, MAP, PIXEL_A, SHAPE, VOXEL_A, columns, failed, verdicts

from cryoccd.cli import main
from cryoccd.geometry import euler_to_matrix, matrix_to_euler
from cryoccd.io.mrc import write_mrc
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.simulate.config import SpeciesConfig
from cryoccd.simulate.run import simulate
from cryoccd.verify.readings import Reading
from cryoccd.verify.tomograms.readings import Fits

ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]


def transpose(root):
    def transposed(table):
        matrices = euler_to_matrix(torch.tensor(table[ANGLES].to_numpy()))
        eulers_deg = matrix_to_euler(matrices.mT).numpy()
        return table.assign(**dict(zip(ANGLES, eulers_deg.T, strict=True)))

    change_table(root, "particles", transposed)


def mirror(name, axis):
    """Turn one axis of a volume round about its origin."""

    def plant(root):
        def flip(file):
            file.data[:] = np.roll(np.flip(file.data, axis), 1, axis)

        for path in sorted(root.glob(name)):
            change_image(path, flip)

    return plant


GEOMETRY = {
    "x_y_swapped": (
        columns(x_A=lambda t: t.y_A, y_A=lambda t: t.x_A),
        {"positions": "x and y are swapped (correlation 0.9"},
    ),
    "y_flipped": (
        columns(y_A=lambda t: (SHAPE[0] // 2 - 1) * VOXEL_A - t.y_A),
        {"positions": "y is flipped (correlation 0.9"},
    ),
    "z_flipped": (columns(z_A=lambda t: -t.z_A), {"positions": "z is flipped (correlation 0.9"}),
    "transposed": (transpose, {"angles": "lobed_c1: the rotation is transposed (correlation 0.9"}),
    "rot_tilt_swapped": (
        columns(rot_deg=lambda t: t.tilt_deg, tilt_deg=lambda t: t.rot_deg),
        {"angles": "lobed_c1: rot and tilt are swapped (correlation 0.9"},
    ),
    "map_mirrored": (mirror(MAP, 2), {"hand": "lobed_c1: the map is mirrored (correlation 0.9"}),
    "tomogram_mirrored": (
        mirror("tomograms/*.mrc", 0),
        {"hand": "lobed_c1: the tomogram is mirrored (correlation 0.9"},
    ),
    "two_at_once": (
        lambda root: (columns(z_A=lambda t: -t.z_A)(root), transpose(root)),
        {"positions": "z is flipped", "angles": "lobed_c1: the rotation is transposed"},
    ),
    "other_particles": (
        columns(
            x_A=lambda t: t.x_A.sample(frac=1, random_state=1).to_numpy(),
            y_A=lambda t: t.y_A.sample(frac=1, random_state=2).to_numpy(),
        ),
        {"positions": "no particles where the labels say"},
    ),
}


def test_right_labels_pass(tilt_set):
    found = verdicts(tilt_set)
    assert {family: f.verdict for family, f in found.items()} == dict.fromkeys(found, "pass")
    families = ["checksums", "headers", "tables", "positions", "angles", "hand", "pixel size"]
    assert list(found) == families
    assert "correlation 0.99" in found["angles"].text
    assert "mean shift (-0.00" in found["positions"].text


@pytest.mark.parametrize("fault", GEOMETRY)
def test_a_fault_of_the_geometry_is_named(tilt_set, tmp_path, fault):
    plant, expected = GEOMETRY[fault]
    root = copied(tilt_set, tmp_path / "set")
    plant(root)
    found = failed(sign(root))
    assert found.keys() - {"tables"} == expected.keys()
    for family, text in expected.items():
        assert found[family].startswith(text)


@pytest.mark.parametrize("shift_A", [(3 * VOXEL_A, 0, 0), (0, -PIXEL_A / 2, PIXEL_A)])
def test_centres_that_are_off_are_measured(tilt_set, tmp_path, shift_A):
    root = copied(tilt_set, tmp_path / "set")
    moved = zip(("x_A", "y_A", "z_A"), shift_A, strict=True)
    columns(**{name: lambda t, n=name, by=by: t[n] - by for name, by in moved})(root)
    found = failed(sign(root))
    assert found.keys() - {"tables"} == {"positions"}
    inside = re.match(r"centres are off: mean shift \((.*)\) voxels", found["positions"])
    shift = np.array([float(value) for value in inside[1].split(",")])
    assert shift == pytest.approx(np.array(shift_A) / VOXEL_A, abs=0.01)


def test_angles_that_scatter_are_told_without_noise(tilt_set, tmp_path):
    root = copied(tilt_set, tmp_path / "set")
    columns(psi_deg=lambda t: t.psi_deg + np.random.default_rng(0).normal(0, 50, len(t)))(root)
    found = verdicts(sign(root))
    assert found["angles"].verdict == "undecided"
    assert "without noise: angles or centres scatter" in found["angles"].text


def test_a_ball_has_a_place_and_leaves_angles_and_hand_open(tmp_path):
    x = np.mgrid[-20:20, -20:20, -20:20] * PIXEL_A
    ball = 8 / (1 + np.exp((np.sqrt((x**2).sum(0)) - 50) / 4))
    write_mrc(tmp_path / "ball.mrc", ball.astype(np.float32), PIXEL_A, "a ball in volts")
    simulate(replace(CONFIG, species=[SpeciesConfig(str(tmp_path / "ball.mrc"))]), tmp_path / "set")
    found = verdicts(tmp_path / "set")
    undecided = [family for family, f in found.items() if f.verdict == "undecided"]
    assert undecided == ["angles", "hand"]
    assert found["hand"].text.startswith("ball: whether the map is mirrored cannot be told")
    assert "cannot be told" in found["angles"].text
    assert found["positions"].verdict == "pass"


def test_a_set_without_particles_is_left_open(tmp_path):
    simulate(replace(CONFIG, count=1, particles=CrowdingConfig(0.0)), tmp_path / "set")
    found = verdicts(tmp_path / "set")
    assert {f.verdict for family, f in found.items() if family in ("positions", "angles")} == {
        "undecided"
    }
    assert found["tables"].verdict == "pass"


def test_what_fits_as_well_is_not_told_and_not_blamed():
    noise = np.random.default_rng(0).normal(0, 0.05, (4, 30))
    mirrored, swapped = Reading(hand="the map is mirrored"), Reading("x and y are swapped")
    values = {Reading(): 0.5 + noise[0], mirrored: 0.51 + noise[1], swapped: 0.1 + noise[2]}
    fits = Fits(values, noise[3])
    assert fits.simplest() == Reading()
    assert not fits.beats(Reading(), mirrored)
    assert fits.beats(Reading(), swapped)
    assert fits.seen(Reading())


def test_the_command_takes_either_kind_of_set(tilt_set, tmp_path, capsys):
    assert main(["verify", "--input", str(tilt_set)]) == 0
    assert "lobed_c1: correlation 0.99" in capsys.readouterr().out.replace("\n", " ")
    assert main(["verify", "--input", str(tilt_set), "--images", "clean"]) == 2
    assert "holds tilt series, which take no --images" in capsys.readouterr().err
    root = copied(tilt_set, tmp_path / "set")
    GEOMETRY["z_flipped"][0](root)
    assert main(["verify", "--input", str(sign(root)), "--particles", "50"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "positions: z is flipped" in error
