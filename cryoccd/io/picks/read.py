"""One entry for picks of any format: STAR, Topaz text, EMAN box, CBOX, CSV, or a folder of them.

All of them count x along columns and y along rows as stored in the image file, from 0 in the centre
of the first pixel (RELION and EMAN add half a box to the corner of the box to come to its centre;
both place particles so), so that no format needs an offset.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.picks.coordinate_files import BLOCK, coordinate_files
from cryoccd.io.picks.cryolo import read_cbox
from cryoccd.io.picks.delimited import read_csv, read_topaz
from cryoccd.io.picks.eman import read_box
from cryoccd.io.picks.micrographs import Picks
from cryoccd.io.picks.relion import picks_of_star
from cryoccd.io.picks.table import PickTable
from cryoccd.io.star_blocks import read_blocks

_READERS: dict[str, Callable[[Path], PickTable]] = {
    ".star": lambda path: picks_of_star(path, read_blocks(path)),
    ".txt": read_topaz,
    ".tsv": read_topaz,
    ".box": read_box,
    ".cbox": read_cbox,
    ".csv": read_csv,
}


def read_picks_file(path: Path) -> Picks:
    """Picks by the stem of their micrograph.

    Args:
        path: a `.star` (with rlnMicrographName, named after its micrograph, or a list of such
            files), `.txt` or `.tsv` of Topaz, `.box` of EMAN, `.cbox` of crYOLO or `.csv` file
            (columns x_px and y_px, and micrograph where it is not named after one); or a folder
            that holds such files.

    Returns:
        (n, 2) x, y in pixels from the centre of pixel [0, 0] for each micrograph, in the order of
        the files and rows.

    Raises:
        CryoccdError: nothing there, another format, a missing column, what is no number, or one
            micrograph in two files.
    """
    picks: Picks = {}
    for table in read_pick_tables(path):
        for name, points in table.strict().items():
            if name in picks:
                raise CryoccdError(
                    f"{table.path}: picks of {name} stand in another file as well; keep one"
                )
            picks[name] = points
    return picks


def read_pick_tables(path: Path, root: Path | None = None) -> list[PickTable]:
    """The rows of each file of picks, as they stand.

    Args:
        path: as in read_picks_file.
        root: folder below which the files that a list names must lie.

    Raises:
        CryoccdError: as read_picks_file, but rows without numbers are kept.
    """
    if not path.is_dir():
        return _tables(path, root)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _READERS)
    if not files:
        raise CryoccdError(f"{path}: no picks, expected files {', '.join(_READERS)}")
    return [table for file in files for table in _tables(file, root)]


def _tables(path: Path, root: Path | None) -> list[PickTable]:
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise CryoccdError(f"{path}: unknown kind of picks, expected {', '.join(_READERS)}")
    if suffix != ".star":
        return [_READERS[suffix](path)]
    blocks = read_blocks(path)
    if BLOCK not in blocks:
        return [picks_of_star(path, blocks)]
    listed = coordinate_files(path, blocks[BLOCK], root)
    return [_one(file, name) for name, file in listed]


def _one(path: Path, micrograph: str) -> PickTable:
    """A coordinate file of a list, which says whose picks they are."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CryoccdError(f"{path}: unknown kind of picks, expected {', '.join(_READERS)}")
    return replace(reader(path), named_after=micrograph)
