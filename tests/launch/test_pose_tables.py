"""The tables of poses and of resolutions in small: every stage, and what their cells say."""

import json
from shutil import which

import pytest
from heard import folders_of, verbs_of

from cryoccd.cli import main
from cryoccd.downstream.pose import relion_refine
from cryoccd.downstream.pose.relion_refine import PROGRAM


def made(tmp_path_factory, table, seeds="0"):
    root = tmp_path_factory.mktemp(table)
    argv = ["table", table, "--profile", "mini", "--seeds", seeds]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    return root, argv, verbs_of(argv)


@pytest.fixture(scope="module")
def pose(tmp_path_factory):
    return made(tmp_path_factory, "pose")


@pytest.fixture(scope="module")
def resolution(tmp_path_factory):
    return made(tmp_path_factory, "resolution")


def cells(root, table):
    folder = root / f"results/mini/{table}"
    return {path.name.split("__")[0]: json.loads(path.read_text()) for path in folder.glob("*__*")}


def value(cell, metric):
    return cell["metrics"][metric]["value"]


def test_true_poses_have_no_error_and_random_ones_that_of_chance(pose):
    root, _, _ = pose
    found = cells(root, "pose")
    assert set(found) == {"true_poses", "real_train", "gaussian_fitted", "random_poses"}
    assert value(found["true_poses"], "geodesic_median_deg") < 0.1
    assert value(found["true_poses"], "geodesic_under_10deg") == 1
    # of random poses under the 24 rotations of a cube
    assert 30 < value(found["random_poses"], "geodesic_median_deg") < 50
    assert "chance" in found["random_poses"]["metrics"]["geodesic_median_deg"]["note"]
    assert value(found["true_poses"], "fsc_truth_A") < value(found["random_poses"], "fsc_truth_A")


def test_estimators_learn_from_translations_of_a_set_of_their_own(pose):
    root, _, verbs = pose
    assert folders_of(verbs, "fit", "trainer.default_root_dir") == ["gaussian_fitted__thick_ice__0"]
    assert (root / "runs/mini/generated_pose/gaussian_fitted__thick_ice__0").is_dir()
    cell = cells(root, "pose")["gaussian_fitted"]
    assert cell["protocol"]["estimator"]["symmetry"] == "O"
    assert cell["protocol"]["particles"] > 5


def test_a_second_run_makes_nothing(pose, resolution):
    for table, (root, argv, _) in (("pose", pose), ("resolution", resolution)):
        folder = root / f"results/mini/{table}"
        before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}
        assert verbs_of(argv) == []
        assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}


def test_every_row_of_resolutions_has_as_many_picks(resolution):
    root, _, _ = resolution
    found = cells(root, "resolution")
    rows = {"true_picks", "real_train", "gaussian_fitted", "template", "random_picks"}
    assert set(found) == {*rows, "random_poses"}
    for row, cell in found.items():
        assert value(cell, "fsc_truth_A") > 8, row  # twice the pixel
    posed, turned = found["true_picks"], found["random_poses"]
    assert posed["protocol"]["choices"] == turned["protocol"]["choices"]
    assert value(posed, "fsc_truth_A") < value(turned, "fsc_truth_A")


def by_relion(resolution):
    root, argv, _ = resolution
    return root, [*argv, "--poses", "relion", "--methods", "gaussian_fitted"]


@pytest.mark.slow
@pytest.mark.skipif(which(PROGRAM) is None, reason="RELION is not installed")
def test_relion_poses_the_same_picks(resolution):
    root, argv = by_relion(resolution)
    verbs_of(argv)
    ours, theirs = cells(root, "resolution"), cells(root, "resolution_relion")
    assert set(ours) == set(theirs)
    for row, cell in theirs.items():
        assert cell["protocol"]["poses"] == "relion"
        assert (
            cell["protocol"]["choices"]["particles"]
            == ours[row]["protocol"]["choices"]["particles"]
        )
    # what RELION does not pose is the same map
    assert theirs["random_poses"]["metrics"] == ours["random_poses"]["metrics"]
    assert theirs["true_picks"]["metrics"] != ours["true_picks"]["metrics"]


def test_without_relion_it_says_what_to_install(resolution, monkeypatch, capsys):
    monkeypatch.setattr(relion_refine.shutil, "which", lambda name: None)
    root, argv = by_relion(resolution)
    argv[argv.index("--results") + 1] += "_none"
    argv[argv.index("--runs") + 1] += "_none"
    assert main(argv) == 2
    assert "apt-get install relion" in capsys.readouterr().err
    assert not list(root.glob("*_none"))  # before anything is made
