"""What a sweep of many jobs costs the machine that launches it.

    python benchmarks/sweep.py [--jobs 200]

Time and peak memory of `cryoccd sweep --dry-run` in a process of its own, imports among them, for a
grid of so many jobs that are new, and once more with all of their folders there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from cryoccd.launch.sweep.config import read_sweep
from cryoccd.launch.sweep.expand import expand
from cryoccd.launch.sweep.state import prepare


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=200)
    count = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        draws = {"draws": count // 2, "flags": {"model.init_args.snr": {"uniform": [0, 1]}}}
        sweep = {
            "name": "many",
            "command": "fit --config=configs/method/cryogem.yaml",
            "axes": {"grid": {"seed_everything": [0, 1]}, "random": draws},
        }
        path = root / "many.yaml"
        path.write_text(yaml.safe_dump(sweep))
        argv = [sys.executable, "-m", "cryoccd", "sweep", "--dry-run"]
        argv += [f"--config={path}", f"--runs={root / 'runs'}"]
        print(f"{count} new jobs: {measure(argv)}")
        for job in expand(read_sweep(path), root / "results", root / "runs").jobs:
            prepare(job)
        print(f"{count} known jobs: {measure(argv)}")


def measure(argv: list[str]) -> str:
    """Wall time and peak memory of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, code, usage = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"{' '.join(argv)} ended with {code}")
    return f"{time.perf_counter() - began:.2f} s, peak {usage.ru_maxrss / 1024:.0f} MB"


if __name__ == "__main__":
    main()
