"""Faults of headers and tables of a set of tilt series are named."""

import numpy as np
import pytest
from planting import change_image, change_table, copied, sign
from tilt_plants import MAP, STACK, TOMOGRAM, columns, failed, verdicts

from cryoccd.io.dataset import TomogramSet
from cryoccd.verify.tomograms.headers import check_tomogram_headers
from cryoccd.verify.tomograms.tables import check_particles, check_series, read_tilts


def other_size(name, size_A):
    return lambda root: change_image(root / name, lambda file: setattr(file, "voxel_size", size_A))


def unmark(root):
    def plain(file):
        file.header.label[0] = b"a tomogram"

    change_image(root / TOMOGRAM, plain)


def no_tilts(root):
    change_table(root, "tilts", lambda t: t[t.tomogram == "tomo_00000"])


@pytest.mark.parametrize(
    ("plant", "family", "text"),
    [
        (other_size(TOMOGRAM, 9.0), "pixel size", f"header of {TOMOGRAM} says 9 A"),
        (other_size(STACK, 10.0), "pixel size", f"header of {STACK} says 10 A"),
        (other_size(MAP, 6.0), "pixel size", f"header of {MAP} says 6 A"),
        (unmark, "headers", f"{TOMOGRAM} is not marked SYNTHETIC"),
        (no_tilts, "headers", "tilts/tomo_00001.mrcs is 25 x 144 x 176, expected 0 x 144 x 176"),
    ],
)
def test_a_fault_of_headers_is_named(tilt_set, tmp_path, plant, family, text):
    root = copied(tilt_set, tmp_path / "set")
    plant(root)
    tomograms = TomogramSet(sign(root))
    found = {f.family: f for f in check_tomogram_headers(tomograms, read_tilts(tomograms))}
    assert found[family].verdict == "FAIL"
    assert found[family].text.startswith(text)


@pytest.mark.parametrize(
    ("plant", "text"),
    [
        (columns(instance_id=lambda t: t.instance_id.clip(upper=3)), "tomo_00000: instance_id is"),
        (
            columns(rot_deg=lambda t: t.rot_deg.where(t.instance_id > 1)),
            "tomo_00000: a position or angle is no number and 1 more",
        ),
        (columns(psi_deg=lambda t: t.psi_deg + 400), "tomo_00000: an angle is not within 360"),
        (columns(x_A=lambda t: t.x_A + 900), "tomo_00000: instance 1 lies outside the field"),
        (columns(species=lambda t: "other"), "no map species/other.mrc"),
        (
            columns(tomogram=lambda t: t.tomogram.str.replace("1", "2")),
            "particles of tomo_00002, which tomograms.parquet does not name",
        ),
        (no_tilts, "tomo_00001: 0 tilts, expected 2 or more"),
        (
            columns("tilts", angle_deg=lambda t: -t.angle_deg),
            "tomo_00000: angle_deg does not ascend",
        ),
        (columns("tilts", axis_deg=lambda t: t.angle_deg), "tomo_00000: 25 values of axis_deg"),
        (
            columns("tilts", acquisition=lambda t: t.acquisition + 1),
            "tomo_00000: acquisition does not count from 0 to 24",
        ),
        (
            columns("tilts", pre_exposure_e_per_A2=lambda t: t.tilt + 1.0),
            "tomo_00000: pre_exposure_e_per_A2 is not the sum",
        ),
        (
            columns("tilts", tomogram=lambda t: t.tomogram.str.replace("1", "2")),
            "tilts of tomo_00002, which tomograms.parquet does not name",
        ),
        (
            columns("tomograms", voxel_size_A=lambda t: 12.0),
            "voxel_size_A is 2.4 pixels, expected a whole number",
        ),
        (columns("tomograms", cs_mm=lambda t: np.nan), "tomograms.parquet holds what is no number"),
    ],
)
def test_a_fault_of_the_tables_is_named(tilt_set, tmp_path, plant, text):
    root = copied(tilt_set, tmp_path / "set")
    plant(root)
    tomograms = TomogramSet(sign(root))
    found = [check_series(tomograms, read_tilts(tomograms)), check_particles(tomograms)]
    (fault,) = [finding.text for finding in found if finding.verdict == "FAIL"]
    assert fault.startswith(text)


def test_without_sound_series_nothing_else_is_said(tilt_set, tmp_path):
    root = copied(tilt_set, tmp_path / "set")
    no_tilts(root)
    found = verdicts(sign(root))
    assert {family: f.verdict for family, f in found.items()} == {
        "checksums": "pass",
        "tables": "FAIL",
    }


def test_a_changed_file_is_named(tilt_set, tmp_path):
    root = copied(tilt_set, tmp_path / "set")

    def dim(file):
        file.data[10, 10, 10] += 0.01

    change_image(root / TOMOGRAM, dim)
    assert failed(root) == {"checksums": f"{TOMOGRAM} changed since it was written"}
