"""Rows of a table of picks, sorted by micrograph."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem

Picks = dict[str, NDArray[np.float64]]
"""(n, 2) x, y in pixels by the stem of the micrograph."""


def by_micrograph(path: Path, names: pd.Series, points_px: NDArray[np.float64]) -> Picks:
    """Points of each micrograph, in the order of their first rows.

    Args:
        path: for the message.
        names: (n,) names of the micrographs, with folder and suffix as they are written.
        points_px: (n, 2) x, y.

    Raises:
        CryoccdError: a row without name, no rows, or two micrographs of one stem.
    """
    if len(names) == 0:
        raise CryoccdError(f"{path}: no rows, so no micrograph is named; expected at least one")
    missing = np.flatnonzero(names.isna())
    if len(missing):
        raise CryoccdError(f"{path}: row {missing[0] + 1} names no micrograph; mend the file")
    code, written = pd.factorize(names.astype(str))
    stems = [image_stem(name) for name in written]
    twice = np.flatnonzero(pd.Index(stems).duplicated())
    if len(twice):
        raise CryoccdError(
            f"{path}: several micrographs are called {stems[twice[0]]} in different folders; "
            "rename them"
        )
    order = np.argsort(code, kind="stable")
    parts = np.split(points_px[order], np.cumsum(np.bincount(code))[:-1])
    return dict(zip(stems, parts, strict=True))
