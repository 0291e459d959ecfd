"""Every common fault of labels is planted, caught and named; the right labels pass."""

from pathlib import Path

import numpy as np
import pytest
import torch
from planting import change_image, change_table, copied, sign

from cryoccd.cli import main
from cryoccd.geometry import euler_to_matrix, matrix_to_euler
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.verify.files import check_checksums
from cryoccd.verify.micrographs.instances import check_instances
from cryoccd.verify.micrographs.run import verify_micrographs

ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]
SIDE_A = 1024 * 3.0
DEMO = Path(__file__).parents[2] / "configs/simulate/demo.yaml"


def verdicts(root):
    return {f.family: f for f in verify_micrographs(Dataset(root), count=200)}


def particles(**columns):
    def plant(root):
        change_table(root, "particles", lambda t: t.assign(**{k: f(t) for k, f in columns.items()}))

    return plant


def transposed(table):
    matrices = euler_to_matrix(torch.tensor(table[ANGLES].to_numpy()))
    return table.assign(**dict(zip(ANGLES, matrix_to_euler(matrices.mT).numpy().T, strict=True)))


def transpose(root):
    change_table(root, "particles", transposed)


def mirror(root):
    def flip(file):
        file.data[:] = np.roll(file.data[:, :, ::-1], 1, axis=2)

    change_image(root / "species/lobed_c1.mrc", flip)


def larger_pixels(root):
    """Tables, headers of the images and positions say 3.09; the map knows that it is 3."""
    factor = 1.03
    change_table(root, "micrographs", lambda t: t.assign(pixel_size_A=t.pixel_size_A * factor))
    positions = {"x_A": lambda t: t.x_A * factor, "y_A": lambda t: t.y_A * factor}
    particles(**positions)(root)


def larger_pixels_everywhere(root):
    larger_pixels(root)
    for kind, scale in (("clean", 1), ("micrographs", 1), ("instances", 1), ("ice", 8)):
        for path in (root / kind).glob("*.mrc"):
            change_image(path, lambda file, s=scale: setattr(file, "voxel_size", 3.09 * s))


def other_sign(root):
    flipped = {name: lambda t, n=name: -t[n] for name in ("defocus_u_A", "defocus_v_A")}
    particles(**flipped)(root)
    change_table(root, "micrographs", lambda t: t.assign(**{k: f(t) for k, f in flipped.items()}))


def heights_read_wrong(root):
    def plant(table):
        more = {n: table[n] + 2 * table.z_A for n in ("defocus_u_A", "defocus_v_A")}
        return table.assign(**more, z_A=-table.z_A)

    change_table(root, "particles", plant)


FAULTS = {
    "x_y_swapped": (
        particles(x_A=lambda t: t.y_A, y_A=lambda t: t.x_A),
        {"positions": "x and y are swapped"},
    ),
    "y_flipped": (particles(y_A=lambda t: SIDE_A - 3 - t.y_A), {"positions": "y is flipped"}),
    "tilt_rot_swapped": (
        particles(rot_deg=lambda t: t.tilt_deg, tilt_deg=lambda t: t.rot_deg),
        {"angles": "rot and tilt are swapped"},
    ),
    "transposed": (transpose, {"angles": "the rotation is transposed"}),
    "mirrored": (mirror, {"hand": "the map is mirrored"}),
    "pixel_size_in_tables": (larger_pixels, {"pixel size": "header of"}),
    "pixel_size_everywhere": (larger_pixels_everywhere, {"pixel size": "of the map's size"}),
    "defocus_sign": (other_sign, {"defocus": "the sign of the defocus is wrong"}),
    "heights": (heights_read_wrong, {"defocus": "heights are read wrong"}),
    "half_a_pixel": (
        particles(x_A=lambda t: t.x_A + 1.5, y_A=lambda t: t.y_A + 1.5),
        {"positions": "centres are off: mean shift (-0.5"},
    ),
    "whole_pixels": (
        particles(x_A=lambda t: (t.x_A / 3).round() * 3, y_A=lambda t: (t.y_A / 3).round() * 3),
        {"positions": "centres scatter"},
    ),
    "angles_scatter": (
        particles(psi_deg=lambda t: t.psi_deg + np.random.default_rng(0).normal(0, 5, len(t))),
        {"angles": "perfect labels give"},
    ),
}

BLURS = ("angles_scatter",)  # views that fit badly leave nothing to refit exactly


def test_right_labels_pass(exact):
    found = verdicts(exact)
    assert {family: f.verdict for family, f in found.items()} == dict.fromkeys(found, "pass")
    assert set(found) >= {"positions", "angles", "hand", "pixel size", "defocus", "instances"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(exact, tmp_path, fault):
    plant, expected = FAULTS[fault]
    root = copied(exact, tmp_path / "set")
    plant(root)
    found = verdicts(sign(root))
    failed = {family: f.text for family, f in found.items() if f.verdict == "FAIL"}
    for family, text in expected.items():
        assert text in failed.get(family, f"{found[family]}")
    others = set(failed) - {"tables"} - set(expected)
    assert not others or fault in BLURS, failed


def test_edge_particles_that_are_missing(tmp_path):
    """A set whose particles reach over the edge; the rows of those are taken out."""
    root = tmp_path / "set"
    assert main(["simulate", "--config", str(DEMO), "--count", "3", "--output", str(root)]) == 0
    change_table(root, "particles", lambda t: t[~t.on_edge])
    found = check_instances(Dataset(sign(root)), lambda: None)
    assert found.verdict == "FAIL"
    assert "edge particles are missing" in found.text


def test_a_row_and_a_label_too_many(exact, tmp_path):
    root = copied(exact, tmp_path / "row")
    change_table(root, "particles", lambda t: t.assign(instance_id=t.instance_id + 1))
    found = check_instances(Dataset(sign(root)), lambda: None)
    assert found.text.startswith("mic_00000: label 1 has no row and 15 more")


def test_a_changed_file_is_named(exact, tmp_path):
    root = copied(exact, tmp_path / "set")

    def dim(file):
        file.data[100, 100] += 0.01

    change_image(root / "clean/mic_00003.mrc", dim)
    found = check_checksums(Dataset(root), lambda: None)
    assert (found.verdict, found.text[:24]) == ("FAIL", "clean/mic_00003.mrc chan")


def test_the_command_tells_and_exits(exact, tmp_path, capsys):
    assert main(["verify", "--input", str(exact), "--particles", "100"]) == 0
    assert "pass" in capsys.readouterr().out
    root = copied(exact, tmp_path / "set")
    FAULTS["y_flipped"][0](root)
    assert main(["verify", "--input", str(sign(root)), "--particles", "100"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "positions: y is flipped" in error


def with_noise(exact, root, image_of):
    """Two micrographs of the exact set with an image of our own making."""
    source = Dataset(exact)
    writer = DatasetWriter(root, {"toy": 1})
    for name in source.names[:2]:
        exposure = source.exposure(name)
        image = image_of(exposure.clean.numpy())
        writer.write(Item(name, exposure, 1, image.astype(np.float32), 20.0))
    writer.copy_species(exact)
    writer.finish(source.names[:2])
    return root


SIGNALS = {
    "noise": (lambda clean: clean, "pass", "correlation 0."),
    "moved": (lambda clean: np.roll(clean, 1, axis=1), "FAIL", "moved: "),
    "turned_over": (lambda clean: 2 - clean, "FAIL", "particles are bright"),
    "erased": (lambda clean: 0 * clean, "undecided", "hidden in the noise"),
}


@pytest.mark.parametrize("kind", SIGNALS)
def test_what_noise_does_to_the_signal(exact, tmp_path, kind):
    change, verdict, text = SIGNALS[kind]
    noise = np.random.default_rng(0).normal(0, 0.05, (1024, 1024))
    root = with_noise(exact, tmp_path / "set", lambda clean: change(clean) + noise)
    found = verdicts(root)["signal"]
    assert found.verdict == verdict
    assert text in found.text
