"""A user's folder binned for the table: pixels, picks, and no stale copy."""

import os
import shutil

import numpy as np
import pytest
from toys import write_real

from cryoccd.data.matched_scene import estimate_scene
from cryoccd.data.real_recipe import RealRecipe, bin_folder
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.report.provenance import hash_folder


@pytest.fixture
def source(tmp_path):
    return write_real(tmp_path / "source", n_train=2, n_test=1)


def test_binned_folder_keeps_picks_on_their_particles(source, tmp_path):
    bin_folder(open_folder(source), tmp_path / "binned", 2)
    before, after = open_folder(source), open_folder(tmp_path / "binned")
    assert after.pixel_size_A == pytest.approx(2 * before.pixel_size_A)
    assert after.names("train") == before.names("train")
    assert after.optics().defocus_A == before.optics().defocus_A
    name = after.names()[0]
    assert after.image(name).shape == (64, 64)
    assert np.allclose(after.picks_px(name), before.picks_px(name) / 2)
    image = after.image(name)
    columns, rows = after.picks_px(name).round().astype(int).T
    assert image[rows, columns].mean() < image.mean() - image.std()  # dark where the picks are


def test_pick_on_a_row_that_binning_cuts_off_is_dropped(source, tmp_path):
    name = open_folder(source).names()[0]
    path = source / "picks" / f"{name}.csv"
    path.write_text(path.read_text() + "127.4,60\n")
    count = len(open_folder(source).picks_px(name))
    bin_folder(open_folder(source), tmp_path / "binned", 2)
    assert len(open_folder(tmp_path / "binned").picks_px(name)) == count - 1


def test_interrupted_binning_goes_on(source, tmp_path):
    output = tmp_path / "binned"
    bin_folder(open_folder(source), output, 2)
    whole = {path.name: path.read_bytes() for path in output.rglob("*.mrc")}
    (output / "optics.yaml").unlink()  # written last: without it the folder is unfinished
    next(output.glob("micrographs/*.mrc")).unlink()
    bin_folder(open_folder(source), output, 2)
    assert {path.name: path.read_bytes() for path in output.rglob("*.mrc")} == whole


@pytest.mark.parametrize("change", ["bin", "folder", "file"])
def test_copy_of_something_else_is_refused(source, tmp_path, change):
    output = tmp_path / "binned"
    bin_folder(open_folder(source), output, 2)
    other, factor = source, 2
    if change == "bin":
        factor = 4
    elif change == "folder":
        other = write_real(tmp_path / "other", n_train=2, n_test=1, seed=99)
    else:
        path = source / "picks" / f"{open_folder(source).names()[0]}.csv"
        path.write_text(path.read_text() + "60,60\n")
    with pytest.raises(CryoccdError, match="remove it"):
        bin_folder(open_folder(other), output, factor)


def test_a_copy_at_another_time_is_the_same_data(source, tmp_path):
    output = tmp_path / "binned"
    bin_folder(open_folder(source), output, 2)
    known = hash_folder(output)
    copied = shutil.copytree(source, tmp_path / "copied")
    for path in copied.rglob("*.*"):
        os.utime(path, (1, 1))
    bin_folder(open_folder(copied), output, 2)
    assert hash_folder(output) == known
    bin_folder(open_folder(copied), tmp_path / "anew", 2)
    assert hash_folder(tmp_path / "anew") == known
    picks = next(copied.glob("picks/*.csv"))
    text = picks.read_text()
    picks.write_text(text[:-2] + ("1" if text[-2] != "1" else "2") + text[-1:])  # of the same size
    with pytest.raises(CryoccdError, match=r"csv has changed since; remove it"):
        bin_folder(open_folder(copied), output, 2)


def test_density_is_that_of_the_picks(source):
    scene = estimate_scene(open_folder(source))
    assert scene.mean == 9
    assert scene.sd == 0
    assert 1.2 * 16 * 4 < scene.min_distance_A < 3 * 16 * 4


def test_without_picks_density_is_unknown(tmp_path):
    blind = write_real(tmp_path / "blind", n_train=2, n_test=1, picks=False)
    recipe = RealRecipe(blind, "assembly:dimer_d2")
    with pytest.raises(CryoccdError, match="picks"):
        recipe.prepare(tmp_path / "simulated", tmp_path / "real")
