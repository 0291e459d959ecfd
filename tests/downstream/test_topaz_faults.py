"""What Topaz is not asked to do, and what it says where it cannot."""

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import tifffile
from topaz_blobs import DIAMETER_A, write_blobs

from cryoccd.downstream.picking import topaz_program
from cryoccd.downstream.picking.topaz import TopazPicker
from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.downstream.picking.topaz_files import Downsampled, aliases, read_picks, write_picks
from cryoccd.downstream.picking.topaz_pi import labelled_fraction, method_options, require_counts
from cryoccd.downstream.picking.topaz_program import run_topaz, stage
from cryoccd.downstream.picking.topaz_scale import choose_factor, matching_factor
from cryoccd.downstream.picking.topaz_score import topaz_average_precision
from cryoccd.downstream.picking.topaz_train import train_topaz
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.io.mrc import write_mrc
from cryoccd.metrics.picking.picks import Picks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    splits = {"a": "train", "empty": "train", "flat": "test"}
    root = write_blobs(tmp_path_factory.mktemp("faults") / "set", splits, (64, 64), count=2)
    tifffile.imwrite(root / "micrographs/flat.tif", np.ones((64, 64), np.uint16))
    return open_folder(root)


@pytest.fixture
def installed(monkeypatch):
    """A Topaz that any run of would fail."""
    monkeypatch.setattr(topaz_program, "version", lambda name: "0.3.20")
    monkeypatch.setattr(topaz_program.sysconfig, "get_path", lambda name: "/nowhere")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"start": "warm"}, "start = 'warm', expected scratch or pretrained"),
        ({"model": "vgg"}, "model = 'vgg', expected one of resnet8"),
        ({"start": "pretrained", "units": 16}, "resnet8_u16, expected model and units of resnet8_"),
        ({"start": "pretrained", "model": "conv63"}, "conv63_u32, expected model and units"),
        ({"units": 0}, "units = 0, expected"),
        ({"epochs": 0}, "epochs = 0"),
        ({"epoch_size": 0}, "epoch_size = 0"),
        ({"minibatch_size": 15}, "minibatch_size = 15"),
        ({"learning_rate": float("nan")}, "learning_rate = nan"),
        ({"downsample": 0}, "downsample = 0"),
        ({"radius_px": 0}, "radius_px = 0"),
        ({"positive_weight": 0}, "positive_weight = 0"),
        ({"expected_particles": 0}, "expected_particles = 0"),
    ],
)
def test_settings_out_of_range(settings, said):
    with pytest.raises(CryoccdError, match=said):
        TopazConfig(**settings)


def test_fractions():
    """29 pixels in a disc of 3 px; Topaz 0.3.20 counts 203."""
    assert [labelled_fraction(1, r, 1) for r in (1, 2, 3, 5, 7)] == [5, 13, 29, 81, 149]
    of_40 = {
        (): ["PN", 40 * 203],
        (("positive_weight", 1.0),): ["PN", 40 * 29],
        (("expected_particles", 30),): ["GE-binomial", 40 * 203 + 20 * 29],  # 10 more on each of 2
    }
    for settings, (method, pixels) in of_40.items():
        given = method_options(TopazConfig(**dict(settings)), 40, 2, 3, 512**2)
        assert given[::2] == ["--method", "--pi"]
        assert given[1] == method
        assert float(given[3]) == pytest.approx(pixels / 512**2)


def test_another_way_of_counting_is_noticed():
    said = "# source\tsplit\tp_observed\n# 0\ttrain\t{}\t8120\t524288\n"
    require_counts(said.format("1.54877e-02"), 40 * 203 / 2 / 512**2)
    with pytest.raises(CryoccdError, match=r"counts a fraction of 0\.00221"):
        require_counts(said.format("2.21252e-03"), 40 * 203 / 2 / 512**2)
    with pytest.raises(CryoccdError, match="counts no fraction"):
        require_counts("", 0.1)


def test_refused_numbers_of_particles():
    with pytest.raises(CryoccdError, match=r"expected_particles = 20, but 20 a micrograph"):
        method_options(TopazConfig(expected_particles=20), 40, 2, 3, 512**2)
    with pytest.raises(CryoccdError, match="lower radius_px"):
        method_options(TopazConfig(), 400, 2, 12, 2 * 128**2)


def test_scales():
    assert [choose_factor(d, 1.54) for d in (20, 123, 200)] == [1, 3, 5]
    assert [matching_factor(6.16, p) for p in (1.54, 3.08, 6.2)] == [4, 2, 1]
    with pytest.raises(CryoccdError, match=r"micrographs of 4 A, which no whole factor"):
        matching_factor(6.16, 4.0)


def test_coordinates_there_and_back(tmp_path):
    """A side of 301 px becomes 150: pixel 300 is 149.5 there, and the last one is 149."""
    write_mrc(tmp_path / "m0.mrc", np.zeros((100, 150), np.float32), 1.0, "small")
    small = Downsampled(tmp_path, {"a": (301, 201)}, {"a": ""})
    there = small.to_small("a", np.array([[0.0, 0.0], [300.0, 200.4], [-0.5, 20.1]]))
    assert there.tolist() == [[0, 0], [149, 99], [0, 10]]
    back = small.to_full("a", there.astype(float))
    np.testing.assert_allclose(back[1], [149 * 301 / 150, 99 * 201 / 100])


def test_tables_come_back(tmp_path):
    nothing = Picks(np.empty((0, 2)), np.empty(0))
    some = Picks(np.array([[1.0, 2.5], [3.0, 4.0]]), np.array([0.1, -7.25]))
    given = {"007": some, "a b": nothing, "z": some}
    write_picks(tmp_path / "picks.txt", given, aliases(given))
    found = read_picks(tmp_path / "picks.txt", aliases(given))
    assert list(found) == list(given)
    assert len(found["a b"].scores) == 0
    np.testing.assert_array_equal(found["007"].positions_px, some.positions_px)
    np.testing.assert_array_equal(found["z"].scores, some.scores)
    with pytest.raises(CryoccdError, match="picks of m2, which was not asked for"):
        read_picks(tmp_path / "picks.txt", aliases(["none", "007"]))


@pytest.mark.usefixtures("installed")
def test_micrographs_it_cannot_use(folder, tmp_path):
    config = TopazConfig(downsample=1)
    with pytest.raises(CryoccdError, match="no particle is labelled on the 0 micrographs"):
        train_topaz(config, folder, [], tmp_path / "work")
    with pytest.raises(CryoccdError, match="no particle is labelled on the 1 micrographs"):
        train_topaz(config, folder, ["empty"], tmp_path / "work")
    with pytest.raises(CryoccdError, match=r"= 64 is 4\.0 px, down-sampled by 4, expected 6 px"):
        train_topaz(TopazConfig(downsample=4), folder, ["a"], tmp_path / "work")
    picker = TopazPicker("resnet16_u64", 20.0, tmp_path / "work")
    with pytest.raises(CryoccdError, match=r"is 5\.0 px"):
        picker.pick_files(folder, ["a"])
    picker = TopazPicker("resnet16_u64", DIAMETER_A, tmp_path / "work")
    with pytest.raises(CryoccdError, match="no micrograph"):
        picker.pick_files(folder, [])
    with pytest.raises(CryoccdError, match=r"flat\.tif: constant"):
        picker.pick_files(folder, ["flat"])
    with pytest.raises(CryoccdError, match="expected a file that topaz train made"):
        TopazPicker(tmp_path / "gone.sav", DIAMETER_A, tmp_path)
    assert [path.name for path in (tmp_path / "work").iterdir()] == []


def test_scores_without_picks_or_targets():
    nothing = {"a": Picks(np.empty((0, 2)), np.empty(0))}
    assert topaz_average_precision(nothing, {"a": np.ones((1, 2))}, 5) == 0.0
    with pytest.raises(CryoccdError, match="no targets"):
        topaz_average_precision(nothing, {"a": np.empty((0, 2))}, 5)
    with pytest.raises(CryoccdError, match=r"radius_px = 2\.5, expected a whole number"):
        topaz_average_precision(nothing, {"a": np.ones((1, 2))}, 2.5)


def test_topaz_is_absent(folder, tmp_path, monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(topaz_program, "version", absent)
    with pytest.raises(CryoccdError, match=r"^Topaz is absent; pip install 'cryoccd\[picking\]'$"):
        train_topaz(TopazConfig(), folder, ["a"], tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_command_that_fails_leaves_its_log_alone(tmp_path, monkeypatch):
    program = tmp_path / "topaz"
    program.write_text("#!/bin/sh\necho out; echo 'Error: no such file' >&2; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(topaz_program, "version", lambda name: "0.3.20")
    monkeypatch.setattr(topaz_program.sysconfig, "get_path", lambda name: str(tmp_path))

    def make(made, log):
        (made / "half").write_text("written")
        run_topaz("extract", "--radius", 5, log=log, folder=made)

    work = tmp_path / "work"
    with pytest.raises(CryoccdError, match=r"^topaz extract failed: Error: no such f") as error:
        stage(work, "picks", {}, make)
    (log,) = work.iterdir()
    assert str(error.value).endswith(f"all that it said is in {log}")
    assert log.read_text() == "$ topaz extract --radius 5\nout\nError: no such file\n"
    program.unlink()
    with pytest.raises(CryoccdError, match=r"topaz: cannot be run \(No such file or directory\)"):
        stage(work, "picks", {}, make)


@pytest.mark.usefixtures("installed")
def test_a_stage_is_made_once(tmp_path):
    """Its name follows from what goes into it; two at once do not disturb each other."""

    def make(made, log):
        (made / "late").touch()
        stage(tmp_path, "s", {"a": 1}, lambda made, log: (made / "early").touch())

    first = stage(tmp_path, "s", {"a": 1}, make)
    assert [path.name for path in first.iterdir()] == ["early"]
    assert stage(tmp_path, "s", {"a": 1}, make) == first
    assert stage(tmp_path, "s", {"a": 2}, lambda made, log: None) != first
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / "file").touch()
    with pytest.raises(CryoccdError, match="is a file, not a folder"):
        stage(tmp_path / "file", "s", {}, make)
