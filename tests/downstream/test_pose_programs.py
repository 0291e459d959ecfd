"""Other pose programs: what they are given, what comes back, and how they fail."""

import json
import pickle
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from planting import change_table, copied, sign
from pose_stand_ins import write_cryodrgn, write_cryofire

from cryoccd.downstream.pose import cryodrgn
from cryoccd.downstream.pose.boxes import BoxOptions, read_particles
from cryoccd.downstream.pose.cryodrgn import AbinitOptions, abinit_words, cryodrgn_abinit
from cryoccd.downstream.pose.cryofire import SETTINGS, cryofire, cryofire_config
from cryoccd.downstream.pose.program import last_poses, read_poses, run_logged
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.run import export_micrographs


def assert_same_poses(found, truth):
    torch.testing.assert_close(found.rotations.float(), truth.rotations, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.shifts_A.float(), truth.shifts_A, atol=1e-3, rtol=0)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A stand-in for the command, that finds the true poses."""
    path = write_cryodrgn(tmp_path)
    monkeypatch.setattr(cryodrgn, "cryodrgn_program", lambda: path)
    return path


def test_exported_poses_come_back_in_our_convention(exact, tmp_path):
    options = ExportOptions(box_px=56)
    export_micrographs(Dataset(exact), "cryodrgn", tmp_path / "out", options)
    truth = read_particles(exact, BoxOptions(box_A=168.0))
    assert truth.poses.shifts_A.abs().max() > 1
    assert_same_poses(read_poses(tmp_path / "out/poses.pkl", 168.0), truth.poses)


def test_poses_of_cryodrgn_are_in_the_order_of_ours(exact, tmp_path, program):
    found = cryodrgn_abinit(exact, tmp_path / "work", AbinitOptions(box_px=140))
    truth = read_particles(exact, BoxOptions(box_A=420.0))
    assert truth.left_out > 0
    assert_same_poses(found, truth.poses)
    with pytest.raises(CryoccdError, match="not empty"):
        cryodrgn_abinit(exact, tmp_path / "work")


def test_its_command(tmp_path):
    words = abinit_words(tmp_path, AbinitOptions(epochs=5, arguments=("--l-end", "24")), seed=3)
    assert words[:2] == ["abinit", str(tmp_path / "particles/particles.mrcs")]
    assert f"--ctf={tmp_path / 'particles/ctf.pkl'}" in words
    assert {"--zdim=0", "--num-epochs=5", "--seed=3", "--no-analysis"} < set(words)
    assert words[-2:] == ["--l-end", "24"]
    with pytest.raises(CryoccdError, match="epochs = 0"):
        AbinitOptions(epochs=0)


def test_without_cryodrgn(exact, tmp_path, monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cryodrgn, "version", absent)
    with pytest.raises(CryoccdError, match=r"cryoDRGN is absent; pip install 'cryoccd\[pose\]'"):
        cryodrgn_abinit(exact, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_run_that_fails_is_one_line(exact, tmp_path, program):
    program.write_text("#!/bin/sh\necho start\necho 'RuntimeError: no good' >&2\necho\nexit 3\n")
    with pytest.raises(
        CryoccdError, match="cryodrgn abinit failed: RuntimeError: no good;"
    ) as told:
        cryodrgn_abinit(exact, tmp_path / "work")
    assert "\n" not in str(told.value)
    assert str(tmp_path / "work/abinit.log") in str(told.value)
    program.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(CryoccdError, match=r"holds no pose\.EPOCH\.pkl"):
        cryodrgn_abinit(exact, tmp_path / "again")
    with pytest.raises(CryoccdError, match="cannot be run"):
        run_logged("x", [str(tmp_path / "nothing")], tmp_path, tmp_path / "x.log")
    unfocused = copied(exact, tmp_path / "unfocused")
    change_table(unfocused, "particles", lambda t: t.assign(defocus_u_A=float("nan")))
    with pytest.raises(CryoccdError, match="no defocus of its particles"):
        cryodrgn_abinit(sign(unfocused), tmp_path / "third")


class Hostile:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def test_poses_that_are_none(tmp_path):
    path = tmp_path / "pose.1.pkl"
    rotations = np.eye(3)[None].repeat(2, 0)
    for content, message in (
        (Hostile(), r"names builtins\.exec"),
        ({"a": 1}, "not poses"),
        (rotations[:, :2], r"arrays \(2, 2, 3\), expected"),
        ((rotations, np.zeros((3, 2))), r"arrays \(2, 3, 3\) and \(3, 2\)"),
        ((rotations, 1, 2), "not poses"),
        ((2 * rotations, np.zeros((2, 2))), "no rotations"),
    ):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(CryoccdError, match=message):
            read_poses(path, 100.0)
    path.write_bytes(b"")
    with pytest.raises(CryoccdError, match="not poses"):
        read_poses(path, 100.0)
    with pytest.raises(CryoccdError, match="No such file"):
        read_poses(tmp_path / "absent", 100.0)
    for protocol in (2, 5):
        path.write_bytes(pickle.dumps(rotations.astype(np.float32), protocol))
        assert read_poses(path, 100.0).shifts_A is None


def test_the_last_epoch_is_the_largest_number(tmp_path):
    for name in ("pose.9.pkl", "pose.10.pkl", "pose.best.pkl", "weights.30.pkl"):
        (tmp_path / name).touch()
    assert last_poses(tmp_path).name == "pose.10.pkl"


@pytest.fixture
def checkout(tmp_path):
    """A stand-in for CryoFIRE."""
    return write_cryofire(tmp_path / "fire")


def test_cryofire_is_given_its_configuration(exact, tmp_path, checkout):
    work = tmp_path / "work"
    found = cryofire(checkout, exact, work, {"num_epochs": 7}, seed=5)
    assert_same_poses(found, read_particles(exact).poses)
    config = json.loads((checkout / "configs/cryoccd_work.json").read_text())
    assert config["particles"] == str(work / "particles/particles.mrcs")
    assert config["pose"] is None  # it is to find them
    assert (config["depth_cnn"], config["num_epochs"], config["seed"]) == (5, 7, 5)
    assert (work / "cryofire.log").read_text().strip() == "epochs 7"
    still = cryofire(checkout, exact, tmp_path / "still", {"no_trans": True})
    assert still.shifts_A is None


def test_its_configuration_alone(tmp_path):
    config = cryofire_config(tmp_path, 128, {}, 0)
    assert config["depth_cnn"] == SETTINGS["depth_cnn"] == 6
    with pytest.raises(CryoccdError, match=r"unknown setting epochs; known: .*num_epochs"):
        cryofire_config(tmp_path, 128, {"epochs": 3}, 0)


def test_what_is_no_checkout(exact, tmp_path, checkout):
    with pytest.raises(CryoccdError, match=r"has no src/commands/train\.py.*git clone"):
        cryofire(tmp_path, exact, tmp_path / "work")
    (checkout / "configs").rmdir()
    with pytest.raises(CryoccdError, match="has no configs"):
        cryofire(checkout, exact, tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("cryodrgn") is None, reason="pip install 'cryoccd[pose]'")
def test_cryodrgn_itself_finds_planted_shifts(exact, tmp_path):
    """Their sign and their unit, beside an origin of the map that is its own; minutes."""
    root = copied(exact, tmp_path / "moved")
    away_A = np.random.default_rng(0).uniform(-12, 12, (400, 2))
    change_table(
        root, "particles", lambda t: t.assign(x_A=t.x_A + away_A[:, 0], y_A=t.y_A + away_A[:, 1])
    )
    search = "--epochs-pose-search 10 --n-imgs-pretrain 2000 --l-start 6 --l-end 10 --niter 2"
    words = f"--explicit-volume {search} --base-healpy 1 --nkeptposes 4 --lr 0.002 --no-amp"
    arguments = (*words.split(), "--t-extent=5", "--t-ngrid=5")
    found = cryodrgn_abinit(sign(root), tmp_path / "work", AbinitOptions(20, 56, None, arguments))
    rest_A = read_particles(root, BoxOptions(box_A=168.0)).poses.shifts_A
    assert len(found) == 400
    assert found.shifts_A is not None
    # t = factor * s + (B x0)_xy
    true_A = (rest_A.double() - torch.from_numpy(away_A))[..., None]
    rows = torch.cat([true_A, found.rotations[:, :2]], dim=2).flatten(0, 1)
    solved = np.linalg.lstsq(rows.numpy(), found.shifts_A.flatten().numpy())
    assert 0.8 < solved[0][0] < 1.2
