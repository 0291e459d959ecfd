"""The list of coordinate files that RELION 4 and later writes: coords.star, autopick.star.

Its names are relative to RELION's project, which is the folder of the list or one above it.
"""

from pathlib import Path

import pandas as pd

from cryoccd.errors import CryoccdError

BLOCK = "coordinate_files"
_NAME, _FILE = "rlnMicrographName", "rlnMicrographCoordinates"
_FOLDERS_ABOVE = 2  # AutoPick/job005/autopick.star names AutoPick/job005/...


def coordinate_files(path: Path, table: pd.DataFrame, root: Path | None) -> list[tuple[str, Path]]:
    """Micrograph, as written, and coordinate file of each row.

    Args:
        path: the list.
        table: its block data_coordinate_files.
        root: folder that relative names may refer to and below which all files must lie; None
            allows relative names below the list's folder or the two above it.

    Raises:
        CryoccdError: a column is missing, no rows, or a file is refused or not there.
    """
    missing = [name for name in (_NAME, _FILE) if name not in table.columns]
    if missing or len(table) == 0:
        what = f"no column {missing[0]}" if missing else "no rows"
        raise CryoccdError(f"{path}: data_{BLOCK} has {what}; write it again")
    return [
        (str(name), found_file(path, str(file), _FILE, root))
        for name, file in zip(table[_NAME], table[_FILE], strict=True)
    ]


def found_file(path: Path, written: str, column: str, root: Path | None) -> Path:
    """The file that a cell names.

    Raises:
        CryoccdError: refused, or not there.
    """
    places = candidates(path, written, column, root)
    for place in places:
        if place.is_file():
            return place
    raise CryoccdError(
        f"{path}: {column} names {written}, but there is no {places[0]}; give --root, the folder "
        "that the names are relative to"
    )


def candidates(path: Path, written: str, column: str, root: Path | None) -> list[Path]:
    """Where the file that a cell names may lie.

    Raises:
        CryoccdError: an absolute path, or one with `..`, that does not lie below `root`.
    """
    loose = Path(written).is_absolute() or ".." in Path(written).parts
    if root is None:
        if loose:
            raise CryoccdError(
                f"{path}: {column} names {written}, an absolute path or one with `..`; give "
                "--root, the folder below which it must lie"
            )
        return [folder / written for folder in path.absolute().parents[: _FOLDERS_ABOVE + 1]]
    inside = [place for place in (root / written, path.parent / written) if _below(place, root)]
    if not inside and loose:
        raise CryoccdError(f"{path}: {column} names {written}, which is not below --root {root}")
    return inside or [root / written]


def _below(place: Path, root: Path) -> bool:
    return place.resolve().is_relative_to(root.resolve())
