"""Curves of a camera over frequency, as CSV files of two columns.

The first column is the fraction of the Nyquist frequency of the camera's physical pixel, the second
the value: MTF, DQE or NNPS. Lines that begin with # are comments; one line of titles may stand at
the top.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError

_COVERED = (0.2, 0.9)  # a curve must begin below the first and end above the second
_HIGHEST = 2.0


@dataclass(frozen=True)
class Curve:
    """A curve over frequency, linear between its points and level outside them.

    Args:
        fractions: frequencies as fractions of Nyquist, ascending.
        values: the value at each, 0 or more.
        name: what messages call it, for example its file.
    """

    fractions: tuple[float, ...]
    values: tuple[float, ...]
    name: str = "curve"

    def __post_init__(self) -> None:
        if len(self.fractions) != len(self.values) or len(self.values) < 2:
            raise CryoccdError(
                f"{self.name}: {len(self.fractions)} frequencies and {len(self.values)} values, "
                "expected two or more of each"
            )
        pairs = zip(self.fractions, self.fractions[1:], strict=False)
        for before, after in pairs:
            if not before < after:
                raise CryoccdError(
                    f"{self.name}: frequency {after:g} follows {before:g}, expected ascending ones"
                )
        if not 0 <= self.fractions[0] < _COVERED[0] or not (
            _COVERED[1] <= self.fractions[-1] <= _HIGHEST
        ):
            raise CryoccdError(
                f"{self.name}: frequencies {self.fractions[0]:g} to {self.fractions[-1]:g}, "
                f"expected fractions of Nyquist from below {_COVERED[0]} to {_COVERED[1]} .. "
                f"{_HIGHEST:g} (cycles a pixel times 2)"
            )
        for fraction, value in zip(self.fractions, self.values, strict=True):
            if not (isfinite(value) and value >= 0):
                raise CryoccdError(
                    f"{self.name}: value {value:g} at {fraction:g} of Nyquist, expected 0 or more"
                )

    def __call__(self, fraction: Tensor) -> Tensor:
        """Values at fractions of Nyquist, float32 of the same shape and device."""
        points = fraction.detach().cpu().double().numpy()
        values = np.interp(points, self.fractions, self.values)
        return torch.as_tensor(values, dtype=torch.float32, device=fraction.device)


def read_curve(path: Path) -> Curve:
    """The curve of a CSV file.

    Raises:
        CryoccdError: no such file, a line that is not two numbers, or no curve.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CryoccdError(f"{path}: cannot be read ({error}); expected a CSV file") from error
    points: list[tuple[float, float]] = []
    titled = False
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            fraction, value = (float(cell) for cell in line.split(","))
        except ValueError as error:
            if not points and not titled and not any(mark.isdigit() for mark in line):
                titled = True
                continue
            raise CryoccdError(
                f"{path}: line {number} is {line[:40]!r}, expected fraction of Nyquist, value"
            ) from error
        points.append((fraction, value))
    if not points:
        raise CryoccdError(f"{path}: no points, expected lines of fraction of Nyquist, value")
    fractions, values = zip(*points, strict=True)
    return Curve(fractions, values, str(path))
