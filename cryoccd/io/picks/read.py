"""One entry for picks of any format: RELION STAR, Topaz text, EMAN box, CSV, or a folder of them.

All of them count x along columns and y along rows as stored; none says whether a whole number is
the centre or the corner of a pixel, half a pixel that no picker knows. Whole numbers are taken as
centres.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.star import read_star_table

Picks = dict[str, NDArray[np.float64]]
_STAR = ("rlnCoordinateX", "rlnCoordinateY")


def read_picks_file(path: Path) -> Picks:
    """Picks by the stem of their micrograph.

    Args:
        path: a `.star` (with rlnMicrographName, or named after its micrograph), `.txt` or `.tsv`
            of Topaz, `.box` of EMAN or `.csv` file; or a folder that holds such files.

    Returns:
        (n, 2) x, y in pixels for each micrograph, in the order of the files and rows.

    Raises:
        CryoccdError: nothing there, another format, a missing column, or what is no number.
    """
    if path.is_dir():
        files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in _READERS]
        if not files:
            raise CryoccdError(f"{path}: no picks, expected files {', '.join(_READERS)}")
        picks: Picks = {}
        for file in files:
            for name, points in read_picks_file(file).items():
                if name in picks:
                    raise CryoccdError(f"{file}: picks of {name} stand in another file as well")
                picks[name] = points
        return picks
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CryoccdError(f"{path}: unknown kind of picks, expected {', '.join(_READERS)}")
    return reader(path)


def _star(path: Path) -> Picks:
    try:
        table = read_star_table(path, ("rlnMicrographName", *_STAR))
    except CryoccdError as error:
        if "no block" not in str(error):
            raise
        table = read_star_table(path, _STAR).assign(rlnMicrographName=path.stem)
    return _by_name(table, "rlnMicrographName", _STAR)


def _topaz(path: Path) -> Picks:
    table = _table(path, "\t")
    return _by_name(
        _numbers(path, table, ("x_coord", "y_coord"), "image_name"),
        "image_name",
        ("x_coord", "y_coord"),
    )


def _csv(path: Path) -> Picks:
    table = _table(path, ",")
    if "micrograph" not in table.columns:
        table = table.assign(micrograph=path.stem)
    return _by_name(
        _numbers(path, table, ("x_px", "y_px"), "micrograph"), "micrograph", ("x_px", "y_px")
    )


def _box(path: Path) -> Picks:
    """EMAN: x, y of the box's first corner, width and height."""
    try:
        rows = np.loadtxt(path, dtype=np.float64, usecols=(0, 1, 2, 3), ndmin=2)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(
            f"{path}: not an EMAN box file ({reason}); expected x y width height in each line"
        ) from error
    if not np.isfinite(rows).all():
        raise CryoccdError(f"{path}: holds NaN or infinity; expected x y width height")
    return {path.stem: rows[:, :2] + rows[:, 2:] / 2}


def _table(path: Path, separator: str) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep=separator, skipinitialspace=True)
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not a readable table of picks ({reason})") from error


def _numbers(path: Path, table: pd.DataFrame, columns: tuple[str, str], name: str) -> pd.DataFrame:
    for column in (name, *columns):
        if column not in table.columns:
            found = ", ".join(map(str, table.columns))
            raise CryoccdError(f"{path}: no column {column} (found {found})")
    table = table.copy()
    for column in columns:
        table[column] = pd.to_numeric(table[column], errors="coerce")
        bad = np.flatnonzero(~np.isfinite(table[column].to_numpy(np.float64)))
        if len(bad):
            raise CryoccdError(f"{path}: {column} of row {bad[0] + 1} is no number")
    return table


def _by_name(table: pd.DataFrame, name: str, columns: tuple[str, str]) -> Picks:
    stems = table[name].astype(str).map(image_stem)
    points = table[list(columns)].to_numpy(np.float64)
    return {str(stem): points[(stems == stem).to_numpy()] for stem in dict.fromkeys(stems)}


_READERS: dict[str, Callable[[Path], Picks]] = {
    ".star": _star,
    ".txt": _topaz,
    ".tsv": _topaz,
    ".box": _box,
    ".csv": _csv,
}
