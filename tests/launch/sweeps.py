"""A sweep of small programs in place of `cryoccd`, and what they leave."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

TICK = """
import os, sys, time
flags = dict(word[2:].split("=") for word in sys.argv[1:] if word.startswith("--") and "=" in word)
name, code, seconds = flags["name"], int(flags.get("code", 0)), float(flags.get("seconds", 0))
def tell(what):
    with open("lines.txt", "a") as stream:
        stream.write(f"{what} {name} {os.getpid()}\\n")
tell("begin")
print("this is", name, flush=True)
print("threads", os.environ["OMP_NUM_THREADS"], flush=True)
try:
    time.sleep(seconds)
except KeyboardInterrupt:
    tell("interrupted")
    sys.exit(130)
tell("end")
sys.exit(code)
"""


def write_sweep(root: Path, **changes: object) -> Path:
    """A sweep file of a fit that TICK plays."""
    sweep = {"name": "ticks", "command": "fit", "resources": {"cpus": 1}} | changes
    path = root / "sweep.yaml"
    path.write_text(yaml.safe_dump(sweep))
    return path


def lines(root: Path) -> list[list[str]]:
    path = root / "lines.txt"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def count(root: Path, what: str) -> dict[str, int]:
    """How often each job has said something."""
    found: dict[str, int] = {}
    for said, name, _ in lines(root):
        if said == what:
            found[name] = found.get(name, 0) + 1
    return found
