"""One entry for picks of any format: RELION STAR, Topaz text, EMAN box, CSV, or a folder of them.

All of them count x along columns and y along rows as stored in the image file, from 0 in the centre
of the first pixel (RELION and EMAN add half a box to the corner of the box to come to its centre;
both place particles so), so that no format needs an offset.
"""

from collections.abc import Callable
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.picks.delimited import read_csv, read_topaz
from cryoccd.io.picks.eman import read_box
from cryoccd.io.picks.micrographs import Picks
from cryoccd.io.picks.relion import read_star

_READERS: dict[str, Callable[[Path], Picks]] = {
    ".star": read_star,
    ".txt": read_topaz,
    ".tsv": read_topaz,
    ".box": read_box,
    ".csv": read_csv,
}


def read_picks_file(path: Path) -> Picks:
    """Picks by the stem of their micrograph.

    Args:
        path: a `.star` (with rlnMicrographName, or named after its micrograph), `.txt` or `.tsv`
            of Topaz, `.box` of EMAN or `.csv` file (columns x_px and y_px, and micrograph where it
            is not named after one); or a folder that holds such files.

    Returns:
        (n, 2) x, y in pixels from the centre of pixel [0, 0] for each micrograph, in the order of
        the files and rows.

    Raises:
        CryoccdError: nothing there, another format, a missing column, what is no number, or one
            micrograph in two files.
    """
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CryoccdError(f"{path}: unknown kind of picks, expected {', '.join(_READERS)}")
    return reader(path)


def _folder(folder: Path) -> Picks:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _READERS)
    if not files:
        raise CryoccdError(f"{folder}: no picks, expected files {', '.join(_READERS)}")
    picks: Picks = {}
    for file in files:
        for name, points in read_picks_file(file).items():
            if name in picks:
                raise CryoccdError(
                    f"{file}: picks of {name} stand in another file of the folder as well; keep one"
                )
            picks[name] = points
    return picks
