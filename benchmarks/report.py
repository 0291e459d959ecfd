"""How large the page of `cryoccd report` is, how long it takes to write and to open.

    python benchmarks/report.py [--cells 500] [--repeats 5] [--keep FOLDER]

makes result cells in a temporary folder, with generated sets and logs of fits behind them, writes
the page (seconds, and of CPU), and opens it in headless Chromium: from the start of the navigation
to the load event, and to the first frame after it, when the page reacts. A new browser each time.
"""

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pandas as pd
import torch
from chromium import Chromium

from cryoccd.io.dataset import DatasetWriter, Item
from cryoccd.io.mrc import write_mrc
from cryoccd.launch.dashboard import write_dashboard
from cryoccd.launch.places import Runs
from cryoccd.records import PARTICLE_COLUMNS, Exposure, Optics
from cryoccd.report.cells import ResultCell

_METRICS = ("fd_scattering", "psd_background_db", "psd_particle_db", "lattice_peak_db")
_METRICS += ("contrast_error_db", "signal_slope_20_10", "ctf_fitted_difference", "histogram_w1")
_DATASETS, _METHODS = 8, 10  # of a table; with the two anchors, 96 cells a seed
_SIDE_PX, _MICROGRAPHS, _PIXEL_SIZE_A = 192, 4, 4.0
_READY = "new Promise(r => requestAnimationFrame(() => setTimeout(() => r(performance.now()))))"
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def main() -> None:
    """Make, write, open, print."""
    parser = argparse.ArgumentParser(description="Size and speed of the page of cryoccd report.")
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.keep or Path(folder)
        made = make_cells(root, asked.cells)
        print(f"{platform.machine()}, Python {platform.python_version()}, {made} cells", flush=True)
        times, used = [], []
        for _ in range(min(3, asked.repeats)):
            start, cpu = time.perf_counter(), time.process_time()
            written = write_dashboard(root / "results", root / "runs", root / "report.html")
            times.append(time.perf_counter() - start)
            used.append(time.process_time() - cpu)
        print(f"size  {written.n_bytes / 1e6:.1f} MB of 25")
        tell("write", times)
        tell("CPU", used)
        pairs = [opened(root / "report.html") for _ in range(asked.repeats)]
        loaded, ready = zip(*pairs, strict=True)
        tell("load", loaded)
        tell("ready", ready)
    sys.exit(0 if max(ready) < 2 and written.n_bytes < 25e6 and not written.refused else 1)


def tell(name: str, seconds: Sequence[float]) -> None:
    """Print mean, spread and number of some durations."""
    spread, n = stdev(seconds) if len(seconds) > 1 else 0.0, len(seconds)
    line = f"{name:<6}{mean(seconds):.2f} s, sd {spread:.2f}, max {max(seconds):.2f}, n {n}"
    print(line, flush=True)


def opened(page: Path) -> tuple[float, float]:
    """Seconds to the load event and to the first frame after it."""
    with Chromium(1600, 1200, watch=False) as browser:
        browser.open(page)
        ready = browser.value(_READY) / 1000
        return browser.value(_LOADED) / 1000, ready


def make_cells(root: Path, count: int) -> int:
    """At least `count` cells in tables of 96 with their sets and logs; how many they are."""
    rng, made = np.random.default_rng(0), 0
    rows = ["real_floor", *(f"method_{k}" for k in range(_METHODS)), "white_ceiling"]
    datasets = [f"style_{k}" for k in range(_DATASETS)]
    profiles = -(-count // (len(rows) * len(datasets)))
    for table in range(profiles):
        runs = Runs(root / "runs" / f"profile{table}")
        for dataset in datasets:
            _generated(runs.data(dataset).simulated_test, rng)
            _real(runs.data(dataset).real, rng)
            for method in rows:
                trained = method.startswith("method")
                _cell(method, dataset, trained, rng).write(root / "results", f"profile{table}")
                made += 1
                if trained:
                    _generated(runs.generated(method, dataset, dataset, 0), rng)
                    _log(runs.fit(method, dataset, 0), rng)
    return made


def _cell(method: str, dataset: str, trained: bool, rng: np.random.Generator) -> ResultCell:
    values = rng.lognormal(size=len(_METRICS))
    metrics = {
        name: {
            "value": float(value),
            "ci_low": float(0.9 * value),
            "ci_high": float(1.1 * value),
            "n": 48,
            "interval": "jackknife95",
            "note": f"rings in 48 of 48 real, {k} of 48 generated" if k % 3 == 0 else "",
        }
        for k, (name, value) in enumerate(zip(_METRICS, values, strict=True))
    }
    protocol = {"domain": "oracle", "scattering": "morlet-J4-L8", "crop_px": 64}
    training = {"training": "per_style", "train_styles": [dataset]} if trained else {}
    origin = {"commit": "0" * 40, "config_hash": "c" * 64, "data_hash": "d" * 64}
    origin |= {"versions": {"cryoccd": "0.1.0"}, "device": "cpu", "seconds": 60.0}
    return ResultCell("fid", method, dataset, 0, metrics, protocol | training, origin)


def _generated(root: Path, rng: np.random.Generator) -> None:
    """Micrographs of noise with one particle each, as a dataset folder."""
    shape = (_SIDE_PX, _SIDE_PX)
    y, x = np.indices(shape, dtype=np.float32) - _SIDE_PX / 2
    clean = 1 - 0.05 * np.exp(-(x**2 + y**2) / 200)
    rows = pd.DataFrame(0.0, index=range(1), columns=list(PARTICLE_COLUMNS))
    rows[["instance_id", "species", "conformation", "on_edge"]] = [[1, "ball", 0, False]]
    rows[["x_A", "y_A"]] = _SIDE_PX / 2 * _PIXEL_SIZE_A
    instances = torch.from_numpy((clean < 0.97).astype(np.int32))
    optics = Optics(300, 2.7, 0.1, _PIXEL_SIZE_A, 15000, 15000)
    known = Exposure(torch.from_numpy(clean), instances, torch.full((24, 24), 300.0), rows, optics)
    writer = DatasetWriter(root, {})
    names = [f"m{k}" for k in range(_MICROGRAPHS)]
    for k, name in enumerate(names):
        image = rng.standard_normal(shape, dtype=np.float32)
        writer.write(Item(name, known, k, image))
    writer.finish(names)


def _real(root: Path, rng: np.random.Generator) -> None:
    """Micrographs of noise as a microscope's."""
    names = [f"r{k}" for k in range(_MICROGRAPHS)]
    for name in names:
        image = rng.standard_normal((_SIDE_PX, _SIDE_PX), dtype=np.float32)
        write_mrc(root / "micrographs" / f"{name}.mrc", image, _PIXEL_SIZE_A, "benchmark")
    lines = ["micrograph,split", *(f"{name},test" for name in names)]
    (root / "split.csv").write_text("\n".join(lines) + "\n")


def _log(folder: Path, rng: np.random.Generator) -> None:
    """A log of 400 lines with three losses."""
    images = np.arange(1, 401) * 40.0
    losses = np.exp(-images[:, None] / 4000) + 0.05 * rng.standard_normal((400, 3))
    path = folder / "logs" / "version_0" / "metrics.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "step,train/images,train/loss_a,train/loss_b,train/loss_c"
    values = np.column_stack([images, images, losses])
    np.savetxt(path, values, fmt="%.6g", delimiter=",", header=head, comments="")


if __name__ == "__main__":
    main()
