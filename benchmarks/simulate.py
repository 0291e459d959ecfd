"""Speed, memory and scaling of the simulator, through the whole verb with writing.

    python benchmarks/simulate.py rate [--workers 2] [--device cpu] [--count 48]
    python benchmarks/simulate.py large [--device cpu]
    python benchmarks/simulate.py scaling [--device cpu]
    python benchmarks/simulate.py disk [--workers 2] [--device cpu]
    python benchmarks/simulate.py set [--count 10000]

`rate`: micrographs a second of configs/simulate/bench-1024.yaml (1024 x 1024 px, 100 particles of
75 px in boxes of 128 px, the complete chain with detector), and without its noise. Few and many
micrographs are made: the difference leaves out imports and the potential. `large`: time and peak
memory of one micrograph of 4096 x 4096 px with 500 particles. `scaling`: time against pixels and
against particles over a decade. `disk`: bytes a second written, and those that the disk takes from
a plain writer of the same files. `set`: memory of the process along a long set of tiny micrographs.
"""

import argparse
import os
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from cryoccd.io.mrc import write_mrc
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.simulate.config import SimulateConfig, read_config
from cryoccd.simulate.run import simulate

CONFIG = Path(__file__).parents[1] / "configs/simulate/bench-1024.yaml"


def main() -> None:
    """Print the figures of one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=list(PARTS), nargs="?", default="rate")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--count", type=int)
    PARTS[parser.parse_args().part](parser.parse_args())


def rate(options: argparse.Namespace) -> None:
    """Micrographs a second."""
    config, count = read_config(CONFIG), options.count or 48
    for name, kind in (("complete", config), ("clean", replace(config, dose=None, camera=None))):
        seconds = marginal_seconds(kind, count, options)
        print(f"{name}: {count / seconds:.2f} micrographs/s ({options.workers} workers)")


def large(options: argparse.Namespace) -> None:
    """One large micrograph, potential and imports left out of the time but not of the memory."""
    config = of_size(4096, 500)
    options.workers = 1
    seconds = marginal_seconds(config, 2, options) / 2
    print(f"4096 x 4096, 500 particles: {seconds:.1f} s, peak {peak_MB():.0f} MB")


def scaling(options: argparse.Namespace) -> None:
    """Time over a decade of pixels at one density, and over a decade of particles."""
    options.workers = 1
    for side in (512, 1024, 1619):  # a decade
        particles = round(100 * (side / 1024) ** 2)
        count = max(6, round(30 * (512 / side) ** 2))
        seconds = marginal_seconds(of_size(side, particles), count, options) / count
        print(f"{side} px, {particles} particles: {1e6 * seconds / side**2:.3f} us/px")
    for particles in (20, 65, 200):
        seconds = marginal_seconds(of_size(1448, particles), 6, options) / 6
        print(f"1448 px, {particles} particles: {seconds:.3f} s")


def disk(options: argparse.Namespace) -> None:
    """Bytes a second of the simulator and of a plain writer."""
    config, count = read_config(CONFIG), options.count or 48
    side = config.shape_px[0]
    size = 2 * 4 * side**2 + 2 * side**2 + 4 * (side // 8) ** 2
    ours = size * count / marginal_seconds(config, count, options)
    image = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for index in range(count):
            write_mrc(Path(folder) / f"{index}.mrc", image, 1.0, "plain")
        plain = image.nbytes * count / (time.perf_counter() - start)
    print(f"simulator {ours / 1e6:.0f} MB/s, disk {plain / 1e6:.0f} MB/s: {ours / plain:.0%}")


def long_set(options: argparse.Namespace) -> None:
    """Peak memory after a tenth of a set and at its end."""
    config = replace(
        read_config(CONFIG),
        shape_px=(32, 32),
        pixel_size_A=12.0,
        box_px=None,
        particles=CrowdingConfig(mean=2.0),
    )
    for count in ((options.count or 10000) // 10, options.count or 10000):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            simulate(replace(config, count=count), Path(folder) / "set")
        seconds = time.perf_counter() - start
        print(f"{count} micrographs: {seconds:.0f} s, peak {peak_MB():.0f} MB")


def of_size(side: int, particles: int) -> SimulateConfig:
    """The benchmark's configuration on another field."""
    config = read_config(CONFIG)
    return replace(config, shape_px=(side, side), particles=CrowdingConfig(mean=float(particles)))


def marginal_seconds(config: SimulateConfig, count: int, options: argparse.Namespace) -> float:
    """Wall time of `count` micrographs beyond the first few."""
    few = 2 * options.workers
    return run_seconds(config, few + count, options) - run_seconds(config, few, options)


def run_seconds(config: SimulateConfig, count: int, options: argparse.Namespace) -> float:
    """Wall time of a set of `count` micrographs."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        output = Path(folder) / "set"
        simulate(replace(config, count=count), output, options.workers, device=options.device)
        os.sync()
        return time.perf_counter() - start


def peak_MB() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = {"rate": rate, "large": large, "scaling": scaling, "disk": disk, "set": long_set}


if __name__ == "__main__":
    main()
