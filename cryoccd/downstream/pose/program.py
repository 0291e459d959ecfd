"""Other people's pose programs: run as commands, with a log, and their poses read."""

import pickle
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.poses import Poses

_ARRAYS = {
    (module, name)
    for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("ndarray", "dtype", "_reconstruct", "scalar")
} | {("_codecs", "encode"), ("numpy.core.numeric", "_frombuffer")}
_ARRAYS |= {("numpy._core.numeric", "_frombuffer")}


def run_logged(name: str, argv: Sequence[str], folder: Path, log: Path) -> None:
    """Run a program to its end; all that it says goes to a log.

    Args:
        name: what it is called in an error.
        argv: the command.
        folder: where it runs.
        log: file; it is replaced.

    Raises:
        CryoccdError: it cannot be run, or it failed, with the last line that it said.
    """
    with log.open("w", encoding="utf8") as stream:
        try:
            done = subprocess.run(
                argv, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, check=False
            )
        except OSError as error:
            raise CryoccdError(f"{argv[0]}: cannot be run ({error.strerror})") from error
    if done.returncode:
        lines = [line.strip() for line in log.read_text("utf8", "replace").splitlines()]
        last = next((line for line in reversed(lines) if line), f"exit code {done.returncode}")
        raise CryoccdError(f"{name} failed: {last}; all that it said is in {log}")


def read_poses(path: Path, unit_A: float) -> Poses:
    """Poses in cryoDRGN's form, as `export --format cryodrgn`, cryoDRGN and CryoFIRE write them.

    Rotations (n, 3, 3) have the image's axes as rows, our A as it is. Translations (n, 2) are
    RELION's origins, from the particle to the middle: minus our shifts. The poses.pkl that is
    exported, and that cryoDRGN reads, has them in parts of the box; the pose.EPOCH.pkl that its
    ab-initio writes, in pixels (4.3.1, found with planted shifts).

    Args:
        path: pickle of the two arrays, or of the rotations alone.
        unit_A: angstrom of one unit of translation.

    Raises:
        CryoccdError: no such file, other things than arrays in it, or arrays of other shapes.
    """
    try:
        with path.open("rb") as stream:
            found = _ArraysOnly(stream).load()
        rotations, shifts = found if isinstance(found, tuple) else (found, None)
        rotations = np.asarray(rotations, dtype=np.float64)
        shifts = None if shifts is None else np.asarray(shifts, dtype=np.float64)
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CryoccdError(f"{path}: not poses of cryoDRGN's form ({reason})") from error
    n = len(rotations) if rotations.ndim else 0
    if rotations.shape != (n, 3, 3) or (shifts is not None and shifts.shape != (n, 2)):
        shapes = f"{rotations.shape}" + ("" if shifts is None else f" and {shifts.shape}")
        raise CryoccdError(f"{path}: arrays {shapes}, expected (n, 3, 3) and (n, 2)")
    shifts_A = None if shifts is None else torch.from_numpy(-unit_A * shifts)
    return Poses(torch.from_numpy(rotations), shifts_A)


def last_poses(folder: Path) -> Path:
    """The pose.EPOCH.pkl of the latest epoch.

    Raises:
        CryoccdError: there is none.
    """
    found = [path for path in folder.glob("pose.*.pkl") if path.name.split(".")[1].isdigit()]
    if not found:
        raise CryoccdError(f"{folder}: holds no pose.EPOCH.pkl, expected poses; see its log")
    return max(found, key=lambda path: int(path.name.split(".")[1]))


class _ArraysOnly(pickle.Unpickler):
    """Arrays and what holds them; nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        """A class that the pickle names."""
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)
