"""What it costs that threads spin while they wait for each other, and what it costs if they sleep.

    python benchmarks/threads.py [--seconds 20] [--repeats 3]

Steps of the fast picker's network on one core and on all, under each policy of OpenMP in turns,
alone and beside one busy process for each core. `cryoccd` sets OMP_WAIT_POLICY=PASSIVE where the
environment does not.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

import torch

from cryoccd.downstream.picking.unet import HeatMapNet

POLICIES = {
    "one thread": {"OMP_NUM_THREADS": "1"},
    "spin": {},
    "sleep": {"OMP_WAIT_POLICY": "PASSIVE"},
}


def main() -> None:
    """Print the median seconds of a step under each policy."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", action="store_true", help="measure under this environment")
    given = parser.parse_args()
    if given.child:
        print(step_s(given.seconds))
        return
    for title, n_busy in (("alone", 0), ("beside a busy process a core", os.cpu_count() or 1)):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
        try:
            found: dict[str, list[float]] = {name: [] for name in POLICIES}
            for _ in range(given.repeats):
                for name, variables in POLICIES.items():
                    found[name].append(measured(given.seconds, variables))
        finally:
            for process in busy:
                process.kill()
        for name, seconds in found.items():
            spread = " to ".join(f"{each:.2f}" for each in (min(seconds), max(seconds)))
            print(f"{title}: {name}: {statistics.median(seconds):.2f} s a step ({spread})")


def measured(seconds: float, variables: dict[str, str]) -> float:
    """Median seconds of a step in a process with these variables."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    words = [sys.executable, __file__, "--child", f"--seconds={seconds}"]
    done = subprocess.run(words, env=clean | variables, capture_output=True, text=True, check=True)
    return float(done.stdout)


def step_s(seconds: float) -> float:
    """Median seconds of a step of eight crops of 128 px."""
    torch.manual_seed(0)
    network, images = HeatMapNet(), torch.randn(8, 1, 128, 128)
    optimizer = torch.optim.Adam(network.parameters())
    found = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found) < 3:
        start = time.perf_counter()
        loss = network(images).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


if __name__ == "__main__":
    main()
