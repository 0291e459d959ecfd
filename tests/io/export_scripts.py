"""The scripts that exports write, taken apart; and other programs run beside the tests."""

import os
import subprocess
import sys
from pathlib import Path


def commands(script: Path) -> list[str]:
    """The commands of a shell script, one a line, without comments."""
    lines = script.read_text().replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "set ", "mkdir "))]


def run(*words: str, folder: Path, text: str = "") -> str:
    """Output of a program that must end well; those of this environment come first."""
    beside = Path(sys.executable).parent
    env = {
        **os.environ,
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
        "MPLBACKEND": "Agg",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",  # of other people's programs
    }
    done = subprocess.run(
        words, cwd=folder, env=env, input=text, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def run_python(code: str, *words: str, folder: Path, text: str = "") -> str:
    """Output of Python code in a process of its own, where warnings are no errors."""
    return run(sys.executable, "-c", code, *words, folder=folder, text=text)
