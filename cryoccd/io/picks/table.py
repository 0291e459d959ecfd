"""What every reader of picks returns: the rows as they stand, faults among them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.micrographs import Picks, by_micrograph


@dataclass(frozen=True)
class PickTable:
    """Picks of one file.

    Args:
        path: the file.
        rows: one row a pick: x_px, y_px from the centre of pixel [0, 0], NaN where there is no
            number; micrograph as it is written, unless the file is named after one; and whatever
            else the file tells (see the readers).
        named_after: the micrograph that the file's name tells; None where the rows tell it.
        fault: what is wrong with the first row without numbers; None where all have them.
    """

    path: Path
    rows: pd.DataFrame
    named_after: str | None = None
    fault: str | None = None

    def strict(self) -> Picks:
        """(n, 2) x, y by the stem of the micrograph.

        Raises:
            CryoccdError: a row without numbers or without micrograph.
        """
        if self.fault is not None:
            raise CryoccdError(f"{self.path}: {self.fault}")
        points_px = self.rows[["x_px", "y_px"]].to_numpy(np.float64)
        if self.named_after is not None:
            return {image_stem(self.named_after): points_px}
        return by_micrograph(self.path, self.rows["micrograph"], points_px)


def frame_of(points_px: NDArray[np.float64]) -> pd.DataFrame:
    """Rows of (n, 2) x, y."""
    return pd.DataFrame({"x_px": points_px[:, 0], "y_px": points_px[:, 1]})


def first_without(points_px: NDArray[np.float64], columns: str) -> str | None:
    """The first row of (n, 2) x, y that lacks a number, in words."""
    bad = np.flatnonzero(~np.isfinite(points_px).all(axis=1))
    return f"row {bad[0] + 1} holds no pair of numbers in {columns}" if len(bad) else None
