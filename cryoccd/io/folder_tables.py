"""The two small CSV tables beside a folder's images: split.csv and picks/NAME.csv."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.images import IMAGE_SUFFIXES

SPLITS = ("train", "test")


def read_split(path: Path, names: list[str]) -> dict[str, str]:
    """Split of every micrograph, from the columns micrograph and split.

    Args:
        path: the CSV file; names may carry the suffix of their image.
        names: the folder's micrographs; each must have exactly one row.
    """
    table = _read_csv(path, ("micrograph", "split"), text=True)
    split: dict[str, str] = {}
    for micrograph, value in zip(table["micrograph"], table["split"], strict=True):
        name = image_stem(str(micrograph))
        if value not in SPLITS:
            raise CryoccdError(f"{path}: split = {value!r} of {name}, expected train or test")
        if name not in names:
            raise CryoccdError(f"{path}: names {name}, but the folder has no such micrograph")
        if name in split:
            raise CryoccdError(f"{path}: {name} stands in two rows, expected one")
        split[name] = str(value)
    missing = [name for name in names if name not in split]
    if missing:
        raise CryoccdError(f"{path}: no row for {missing[0]}; say train or test for each image")
    return split


def read_picks(path: Path, shape_px: tuple[int, int]) -> NDArray[np.float64]:
    """(n, 2) x, y in pixels from the columns x_px and y_px; a header alone means none.

    Args:
        path: the CSV file.
        shape_px: height and width of the micrograph; picks outside it are refused.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file; write the header x_px,y_px alone for no picks")
    table = _read_csv(path, ("x_px", "y_px"))
    columns = [pd.to_numeric(table[c], errors="coerce").to_numpy(float) for c in ("x_px", "y_px")]
    picks = np.stack(columns, axis=1)
    bad = ~np.isfinite(picks).all(axis=1)
    if bad.any():
        raise CryoccdError(f"{path}: row {_first_row(bad)} holds no pair of numbers in x_px, y_px")
    outside = ~inside_field(picks, shape_px)
    if outside.any():
        x, y = picks[outside][0]
        raise CryoccdError(
            f"{path}: row {_first_row(outside)} at ({x:g}, {y:g}) lies outside the "
            f"{shape_px[1]} x {shape_px[0]} px field; are the picks of another binning?"
        )
    return picks


def inside_field(points_px: NDArray[np.float64], shape_px: tuple[int, int]) -> NDArray[np.bool_]:
    """Which of (n, 2) points x, y lie on a pixel of the field."""
    limits = np.array(shape_px[::-1]) - 0.5
    return np.asarray(((points_px >= -0.5) & (points_px <= limits)).all(axis=1))


def image_stem(name: str) -> str:
    """Name of a micrograph without folder and image suffix; other dots belong to the name."""
    path = Path(name)
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name


def _read_csv(path: Path, columns: tuple[str, ...], text: bool = False) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, skipinitialspace=True, dtype=str if text else None)
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not a readable CSV table ({reason})") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first of too many cells away
        raise CryoccdError(f"{path}: rows have more cells than line 1 has names; name each column")
    missing = [name for name in columns if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise CryoccdError(f"{path}: no column {missing[0]} (found {found}); name it in line 1")
    return table


def _first_row(flags: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(flags)[0]) + 1
