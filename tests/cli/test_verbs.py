"""Each verb once as a process of its own, as a user runs it."""

import json
import subprocess
import sys

from cryoccd.io.dataset import Dataset


def cryoccd(*argv):
    """Run the installed command; nothing but what went wrong stands on stderr."""
    command = [sys.executable, "-c", "from cryoccd.cli import entry; entry()"]
    done = subprocess.run([*command, *map(str, argv)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_simulate(tmp_path):
    small = ["--shape_px", "[64, 64]", "--pixel_size_A", "8", "--count", "2"]
    crowd = ["--particles.mean", "2", "--structure", "assembly:lobed_c1"]
    shown = cryoccd("simulate", *small, *crowd, "--output", tmp_path / "set")
    assert "2/2" in shown
    assert Dataset(tmp_path / "set").names == ["mic_00000", "mic_00001"]


def test_fit_then_translate(fit, folders, tmp_path):
    cryoccd(*fit(method="spectrum"))
    checkpoint = tmp_path / "run/last.ckpt"
    assert (tmp_path / "run/config.yaml").is_file()
    paths = ["--checkpoint", checkpoint, "--input", folders["simulated"]]
    cryoccd("translate", *paths, "--output", tmp_path / "set")
    assert len(Dataset(tmp_path / "set").names) == 3


def test_evaluate(verbs):
    argv, output = verbs("evaluate")
    shown = cryoccd(*argv)
    assert "psd_background_db" in shown
    assert json.loads((output / "report.json").read_text())["inputs"]["micrographs"] == 3
