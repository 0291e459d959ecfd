"""`cryoccd evaluate picking|labels|pose` on small sets, and what they refuse."""

import json
import shutil
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from pose_stand_ins import write_cryodrgn, write_cryofire
from toys import write_real, write_simulated

from cryoccd.cli import main
from cryoccd.downstream.pose import cryodrgn
from cryoccd.io.mrc import write_mrc
from cryoccd.launch import pose_programs

PICKER = ("--fast.iterations=3", "--fast.batch_size=2")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A simulated set with particles, and real micrographs with picks."""
    root = tmp_path_factory.mktemp("downstream")
    simulated = write_simulated(root / "simulated", 3, n=9)
    return simulated, write_real(root / "real", n_train=3, n_test=3)


def words(kind, sets, output, *more):
    simulated, real = sets
    argv = ["evaluate", kind, f"--real={real}", f"--generated={simulated}"]
    return [*argv, f"--output={output}", *more]


def test_a_picking_card_has_its_rows_its_curve_and_its_picks(sets, tmp_path, capsys):
    output = tmp_path / "card.json"
    more = ("--seeds=0,1", f"--second_picks={sets[1]}", *PICKER)
    assert main(words("picking", sets, output, *more)) == 0
    assert "real_train" in capsys.readouterr().out
    record = json.loads(output.read_text())
    rows = record["rows"]
    assert list(rows) == ["generated", "real_train", "template", "random_picks", "annotators"]
    assert len(rows["generated"]["seeds"]) == 2
    assert rows["annotators"]["metrics"]["auprc"]["value"] == 1.0  # the same picks
    assert rows["template"]["metrics"]["auprc"]["value"] > 0.5
    assert {each["other"] for each in record["versus"]} == set(rows) - {"generated"}
    assert output.with_suffix(".png").stat().st_size > 10_000
    assert "| template |" in output.with_suffix(".md").read_text()
    made = tmp_path / "card" / "generated__fast__0"
    before = (made / "picker.safetensors").stat().st_mtime_ns
    assert main(words("picking", sets, output, *more)) == 0
    assert (made / "picker.safetensors").stat().st_mtime_ns == before
    assert json.loads(output.read_text())["rows"] == rows


def test_ruined_areas_do_not_count(sets, tmp_path):
    real = sets[1]
    masks = tmp_path / "masks"
    masks.mkdir()
    everything = np.ones((128, 128), np.float32)
    half = everything.copy()
    half[:, :64] = 0
    names = sorted(path.stem for path in (real / "micrographs").iterdir())
    for name in names:
        write_mrc(masks / f"{name}.mrc", half, 4.0, "mask")
    output = tmp_path / "card.json"
    more = (f"--ruined={masks}", "--seeds=0", "--baselines=false", *PICKER)
    assert main(words("picking", sets, output, *more)) == 0
    (masks / f"{names[-1]}.mrc").unlink()
    assert main(words("picking", sets, output, *more)) == 2


def test_a_label_curve(sets, tmp_path):
    output = tmp_path / "labels.json"
    more = ("--micrographs=1,3", "--seeds=0", *PICKER)
    assert main(words("labels", sets, output, *more)) == 0
    points = json.loads(output.read_text())["points"]
    assert [(p["micrographs"], p["start"]) for p in points] == [
        (0, "generated"),
        *((n, start) for n in (1, 3) for start in ("scratch", "generated")),
    ]
    assert points[0]["labels"] == 0
    assert 0 < points[1]["labels"] < points[3]["labels"]
    assert output.with_suffix(".png").stat().st_size > 10_000


def test_a_pose_card(exact, tmp_path):
    real = shutil.copytree(exact, tmp_path / "real")
    small = ("--pose.images=64", "--pose.batch_size=32", "--pose.width=8", "--pose.boxes.box_px=32")
    output = tmp_path / "pose.json"
    more = (f"--real_train={exact}", "--structure=assembly:lobed_c1", *small)
    assert main(words("pose", (exact, real), output, *more)) == 0
    record = json.loads(output.read_text())
    rows = record["rows"]
    assert list(rows) == ["generated", "real_train", "true_poses", "random_poses"]
    assert rows["generated"]["unaligned"] == rows["real_train"]["unaligned"]  # the same set
    chance = rows["random_poses"]["unaligned"]["geodesic_median_deg"]
    assert 120 < chance["value"] < 145
    assert rows["true_poses"]["truth_A"] < 0.5 * rows["random_poses"]["truth_A"]
    assert "true_poses" in output.with_suffix(".md").read_text()


def test_other_programs_pose_the_same_particles(exact, tmp_path, monkeypatch):
    """Stand-ins that find the true poses; boxes of another side than the maps' keep others."""
    monkeypatch.setattr(cryodrgn, "cryodrgn_program", lambda: write_cryodrgn(tmp_path))
    monkeypatch.setattr(pose_programs, "cryodrgn_program", lambda: None)
    checkout = write_cryofire(tmp_path / "fire")
    real = shutil.copytree(exact, tmp_path / "real")
    small = ("--pose.images=32", "--pose.batch_size=16", "--pose.width=8", "--pose.boxes.box_px=32")
    output = tmp_path / "pose.json"
    more = ("--pose.boxes.box_A=240", "--cryodrgn", f"--cryofire={checkout}", *small)
    assert main(words("pose", (exact, real), output, *more)) == 0
    record = json.loads(output.read_text())
    assert 100 < record["protocol"]["particles"] < 400
    for name in ("cryodrgn", "cryofire"):
        row = record["rows"][name]
        assert row["unaligned"]["geodesic_median_deg"]["value"] < 0.1
        assert row["aligned"]["geodesic_median_deg"]["value"] < 0.1


def test_what_is_absent_is_told_before_anything_is_trained(exact, tmp_path, capsys, monkeypatch):
    real = shutil.copytree(exact, tmp_path / "real")
    output = tmp_path / "pose.json"
    assert main(words("pose", (exact, real), output, f"--cryofire={tmp_path}")) == 2
    assert "expected a checkout of CryoFIRE; git clone" in capsys.readouterr().err

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cryodrgn, "version", absent)
    assert main(words("pose", (exact, real), output, "--cryodrgn")) == 2
    assert "cryoDRGN is absent; pip install 'cryoccd[pose]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("pose*"))


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("picking", ("--radius=0",), "picking: radius = 0"),
        ("picking", ("--fast.iterations=0",), "iterations = 0"),
        ("picking", ("--seeds=a",), "seeds = 'a'"),
        ("picking", ("--output=card.txt",), "card.txt: ends in .txt"),
        ("labels", ("--micrographs=9",), "expected 1 to 3"),
        ("pose", (), "no finished dataset folder"),
    ],
)
def test_refusals(kind, more, said, sets, tmp_path, refused):
    refused(words(kind, sets, tmp_path / "card.json", *more), said, output=tmp_path)


def test_the_real_set_is_no_generated_one(sets, tmp_path, refused):
    real = sets[1]
    refused(words("picking", (real, real), tmp_path / "card.json"), "is the real set itself")
