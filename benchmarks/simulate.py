"""Clean micrographs a second through the whole verb, writing included.

    python benchmarks/simulate.py [--workers 2] [--device cpu] [--count 48]

Runs configs/simulate/bench-1024.yaml (1024 x 1024 px, 100 particles of 75 px in boxes of 128 px)
twice, with few micrographs and with many: the difference leaves out imports and the potential.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from cryoccd.simulate.config import read_config
from cryoccd.simulate.run import simulate

CONFIG = Path(__file__).parents[1] / "configs/simulate/bench-1024.yaml"


def seconds(count: int, workers: int, device: str) -> float:
    """Wall time of a set of `count` micrographs."""
    config = replace(read_config(CONFIG), count=count)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        simulate(config, Path(folder) / "set", workers=workers, device=device)
        return time.perf_counter() - start


def main() -> None:
    """Print the rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--count", type=int, default=48)
    options = parser.parse_args()
    few = 2 * options.workers
    rest = seconds(few, options.workers, options.device)
    more = seconds(few + options.count, options.workers, options.device)
    print(
        f"{options.count / (more - rest):.2f} micrographs/s "
        f"({options.workers} workers, {options.device}); {rest:.1f} s for the first {few}"
    )


if __name__ == "__main__":
    main()
