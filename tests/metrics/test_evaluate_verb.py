"""`cryoccd evaluate noise`: the card, its refusals, its shares."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import tifffile
import torch

from cryoccd.cli import main
from cryoccd.io.dataset import WHOLE
from cryoccd.io.lock import is_held
from cryoccd.io.mrc import write_mrc
from cryoccd.launch.noise_statistics import NoiseStatistics
from cryoccd.metrics.card import ReportCard
from cryoccd.metrics.fields import read_fields

SIDE = 128


def write_folder(root, count, seed, pixel_size_A=2.0, split=False):
    generator = torch.Generator().manual_seed(seed)
    names = [f"m{i}" for i in range(count)]
    axis = torch.arange(SIDE, dtype=torch.float32)
    for name in names:
        image = torch.randn(SIDE, SIDE, generator=generator)
        centres = torch.tensor([[32.0, 30.0], [96.0, 34.0], [62.0, 94.0]])
        for x, y in centres.tolist():
            image -= 2 * torch.exp(-((axis - y)[:, None] ** 2 + (axis - x)[None, :] ** 2) / 18)
        write_mrc(root / "micrographs" / f"{name}.mrc", image.numpy(), pixel_size_A, "test")
        (root / "picks").mkdir(exist_ok=True)
        table = pd.DataFrame(centres.numpy(), columns=["x_px", "y_px"])
        table.to_csv(root / "picks" / f"{name}.csv", index=False)
    if split:
        parts = ["train" if i % 2 else "test" for i in range(count)]
        table = pd.DataFrame({"micrograph": names, "split": parts})
        table.to_csv(root / "split.csv", index=False)
    return root


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("evaluate")
    write_folder(root / "real", 8, 0, split=True)
    write_folder(root / "made", 5, 1)
    write_folder(root / "other", 5, 2)
    return root


def evaluate(folders, output, *more, real="real", made="made"):
    argv = ["evaluate", "noise", "--real", str(folders / real), "--generated", str(folders / made)]
    small = ["--crops-per-micrograph", "4", "--tile-px", "64", "--permutations", "0"]
    return main([*argv, "--output", str(output), *small, *more])


def test_report_of_two_folders(folders, tmp_path, capsys):
    output = tmp_path / "deep" / "report.json"
    assert evaluate(folders, output, "--particle-diameter-A", "30") == 0
    record = json.loads(output.read_text())
    assert record["inputs"]["micrographs"] == 4  # the test split; five were generated
    assert record["inputs"]["real_split"] == "test"
    assert record["inputs"]["reference_split"] == "train"
    for name in ("contrast_error_db", "psd_background_db", "fd_scattering"):
        metric = record["metrics"][name]
        assert metric["ci_low"] <= metric["value"] <= metric["ci_high"]
        assert metric["interval"] == "range"
    assert abs(record["metrics"]["contrast_error_db"]["value"]) < 3
    shown = capsys.readouterr().out
    assert "psd_particle_db" in shown
    assert " to " in shown  # a range of few micrographs
    page = output.with_suffix(".md").read_text()
    assert "![spectra](report.png)" in page
    assert record["metrics"]["psd_background_db"]["floor"]["n"] == 4
    assert record["metrics"]["psd_background_db"]["ceiling"]["n"] == 4
    assert output.with_suffix(".png").stat().st_size > 10_000
    assert record["indistinguishable"] is None


def test_tests_and_another_method(folders, tmp_path, capsys):
    output = tmp_path / "report.json"
    more = ["--particle-diameter-A", "30", "--permutations", "219", "--anchors=false"]
    more += ["--against", str(folders / "other"), "--real-split", "all", "--allow-same"]
    assert evaluate(folders, output, *more) == 0
    record = json.loads(output.read_text())
    found = record["metrics"]["psd_background_db"]
    assert found["test"]["indistinguishable"] is True
    assert found["test"]["critical"] is None or found["test"]["critical"] > 0
    assert found["difference"]["p"] > 0.01
    assert "ceiling" not in found
    assert "ndistinguishable from real" in capsys.readouterr().out
    assert "nothing of any size" in output.with_suffix(".md").read_text()  # five cannot see any


def test_plain_images_need_only_a_pixel_size(folders, tmp_path, capsys):
    generator = torch.Generator().manual_seed(3)
    for i, side in enumerate(("one", "one", "two", "two")):
        (tmp_path / side).mkdir(exist_ok=True)
        image = torch.randn(SIDE, SIDE, generator=generator)
        tifffile.imwrite(tmp_path / side / f"m{i}.tif", image.numpy())
    output = tmp_path / "report.json"
    sides = {"real": "one", "made": "two"}
    assert evaluate(tmp_path, output, **sides) == 2
    assert "no pixel size" in capsys.readouterr().err
    assert not output.exists()
    assert evaluate(tmp_path, output, "--pixel-size-A", "1.5", **sides) == 0
    metrics = json.loads(output.read_text())["metrics"]
    assert metrics["histogram_w1"]["value"] > 0
    assert metrics["psd_background_db"]["value"] is None
    assert "left out" in metrics["contrast_error_db"]["note"]
    assert "left out" in capsys.readouterr().out


def test_bad_input_gives_one_line_and_no_file(folders, tmp_path, capsys):
    write_folder(tmp_path / "coarse", 4, 5, pixel_size_A=3.0)
    write_folder(folders / "few", 3, 6)
    for path in (folders / "few" / "micrographs").iterdir():
        path.rename(path.with_name(f"x{path.name}"))
    for path in (folders / "few" / "picks").iterdir():
        path.rename(path.with_name(f"x{path.name}"))
    (tmp_path / "empty" / "micrographs").mkdir(parents=True)
    output = tmp_path / "report.json"
    for made, more, message in (
        (tmp_path / "coarse", (), ", 3 A in "),
        (tmp_path / "empty", (), "holds no image"),
        (folders / "real", (), "are those of"),
        (tmp_path / "absent", (), "no such folder"),
        (folders / "made", ("--particle-diameter-A", "-3"), "expected above 0"),
        (folders / "made", ("--crop-px", "50"), "crop: 50 px"),
        (folders / "made", ("--crop-size", "64"), "crop"),
        (folders / "made", ("--permutations", "20"), "permutations = 20, expected 219 or more"),
        (folders / "made", ("--clean", str(folders / "real")), "manifest"),
        (folders / "made", ("--against", str(folders / "few")), "are no translations"),
        (folders / "made", ("--inception-weights", str(tmp_path / "no.pth")), "no.pth"),
    ):
        assert evaluate(folders, output, *more, made=made) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("cryoccd: error:")
        assert message in error
        assert not output.exists()
    assert main(["evaluate", "taste"]) == 2
    assert "taste" in capsys.readouterr().err


def test_reads_the_real_set(real_data):
    training = list(read_fields(real_data / "empiar-10146", "train", limit=2))
    assert len(training) == 2
    for field in training:
        assert field.pixel_size_A == pytest.approx(1.54)
        assert len(field.centres_px) > 100
        assert field.clean is None
    assert float(training[0].image.median()) == pytest.approx(0, abs=1e-3)
    assert float(training[0].image.abs().max()) <= 10


def test_shares_make_the_card_of_one_process(folders, tmp_path, capsys):
    tested = ["--particle-diameter-A", "30", "--permutations", "219"]
    alone, shared = tmp_path / "alone.json", tmp_path / "shared.json"
    assert evaluate(folders, alone, *tested) == 0
    parts = shared.with_suffix(".parts")
    for share in ("3of3", "1of3"):
        assert evaluate(folders, shared, *tested, "--share", share) == 0
        assert f"share {share} is measured" in capsys.readouterr().out
        assert not shared.exists()
    known = {path: path.stat().st_mtime_ns for path in parts.glob("*.pickle")}
    assert len(known) == 1 + sum(1 for i in range(4) if i % 3 != 1) * 5  # five sides, and learnt
    assert evaluate(folders, shared, *tested, "--share", "1of3") == 0  # issued again
    assert all(path.stat().st_mtime_ns == known[path] for path in parts.glob("*.pickle"))
    assert evaluate(folders, shared, *tested, "--seed", "1", "--share", "2of3") == 2
    assert "begun with other settings" in capsys.readouterr().err
    assert evaluate(folders, shared, *tested, "--share", "2of3") == 0
    assert json.loads(shared.read_text()) == json.loads(alone.read_text())
    assert not parts.exists()
    assert shared.with_suffix(".png").is_file()
    assert evaluate(folders, shared, *tested, "--share", "2of3") == 0
    assert "is there already" in capsys.readouterr().out
    assert not parts.exists()


def test_shares_at_the_same_time_make_one_card(folders, tmp_path):
    verb = [sys.executable, "-m", "cryoccd", "evaluate", "noise", "--crops-per-micrograph", "4"]
    verb += ["--real", str(folders / "real"), "--generated", str(folders / "made"), "--tile-px=64"]
    verb += ["--output", str(tmp_path / "card.json"), "--permutations=0"]
    running = [subprocess.Popen([*verb, f"--share={n}of3"], text=True) for n in (1, 2, 3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "card.md", "card.png"]


def test_an_interrupted_card_goes_on(folders, tmp_path, monkeypatch):
    """And with other settings it begins anew."""
    output, described = tmp_path / "card.json", []
    describe = ReportCard.describe

    def counted(card, fields, side):
        if len(described) == 6:
            raise KeyboardInterrupt
        described.append(side)
        return describe(card, fields, side)

    monkeypatch.setattr(ReportCard, "describe", counted)
    assert evaluate(folders, output) != 0
    assert not output.exists()
    monkeypatch.setattr(
        ReportCard, "describe", lambda *known: (described.append(1), describe(*known))[1]
    )
    assert evaluate(folders, output) == 0
    assert len(described) == 5 * 4  # each micrograph of each side once
    assert not output.with_suffix(".parts").exists()


def test_the_parts_are_removed_when_no_lock_in_them_is_open(tmp_path, monkeypatch):
    """NFS would keep the file, and the folder with it."""
    statistics, held = NoiseStatistics(tmp_path / "card.json", "hash", WHOLE), []
    monkeypatch.setattr(
        shutil, "rmtree", lambda folder, **_: held.append(is_held(folder / ".join"))
    )
    with statistics.joined({}) as sides:
        assert sides == {}
        assert is_held(statistics.folder / ".join")
    assert held == [False]
