"""What the command line says of itself."""

import re
import subprocess
import sys

import pytest

import cryoccd
from cryoccd.cli import VERBS, main

HELP = """
import sys
from cryoccd.cli import main
code = main(["--help"]) + main(["--version"])
heavy = {"torch", "lightning", "numpy", "pandas", "jsonargparse"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else code)
"""


def test_help_and_version_import_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == cryoccd.__version__
    assert all(f"  {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("simulate", ["--config", "--output", "--structure", "--count", "--seed", "--resume"]),
        ("fit", ["--config", "--model", "--data", "--trainer", "--ckpt_path"]),
        ("translate", ["--checkpoint", "--input", "--output", "--resume", "--device"]),
        ("sample", ["--checkpoint", "--count", "--output", "--classes", "--density", "--resume"]),
        ("compose", ["--checkpoint", "--tomograms", "--shape", "--picks", "--resume"]),
        ("test", ["--ckpt", "--real", "--simulated", "--output", "--figures", "--device"]),
        ("evaluate", ["--real", "--generated", "--output", "--pixel_size_A"]),
        ("evaluate noise", ["--real", "--generated", "--output"]),
        ("table", ["--profile", "--methods", "--allow_missing"]),
        ("table fid", ["--profile", "--methods", "--allow_missing"]),
        ("sweep", ["--config", "--set", "--cluster", "--jobs", "--dry_run", "--retry", "--runs"]),
        ("gallery", ["--profile", "--methods", "--style", "--seed", "--device"]),
        ("gallery control", ["--profile", "--methods", "--style", "--seed", "--device"]),
    ],
)
def test_help_of_every_verb(verb, options, capsys):
    assert main([*verb.split(), "--help"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith(f"usage: cryoccd {verb.split()[0]}")
    for option in options:
        assert re.search(rf"^ +(-\w( CONFIG)?, )?{option}\b", shown.out, re.MULTILINE), option
    assert "--resume {" not in shown.out  # a flag without a value


@pytest.mark.skipif(sys.platform != "linux", reason="OpenMP elsewhere may tell nothing")
@pytest.mark.parametrize("given", [None, "ACTIVE"])
def test_threads_sleep_while_they_wait_unless_told_otherwise(given, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "TRUE")  # OpenMP tells how it has begun
    words = [sys.executable, "-m", "cryoccd", "simulate", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert re.search(r"OMP_WAIT_POLICY\s*=\s*'(\w+)'", done.stderr)[1] == (given or "PASSIVE")


def test_no_verb_shows_the_help(capsys):
    assert main([]) == 0
    assert "cryoccd VERB --help" in capsys.readouterr().out
