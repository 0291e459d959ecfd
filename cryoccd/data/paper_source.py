"""A fetched entry of an archive: its micrographs, averaged, and their reference picks."""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.fetch_images import cached_images, check_intact, entry_folder
from cryoccd.io.image_header import ImageHeader, read_image_header
from cryoccd.io.imports.reference import ReferenceTable
from cryoccd.io.movies import read_averaged
from cryoccd.io.paper_set import PaperSet

_TOLERANCE = 0.01


class PaperSource:
    """Micrographs that were fetched and have picks.

    Args:
        paper: the data set.
        picks: file or folder of reference picks; by default `picks` in the entry's folder of the
            cache, with any suffix.
        cache: of `cryoccd fetch`.

    Raises:
        CryoccdError: nothing or less than asked for was fetched, micrographs of another pixel size
            or too small, no picks, picks that are refused, or under two micrographs with any.
    """

    def __init__(self, paper: PaperSet, picks: Path | None, cache: Path | None) -> None:
        self.paper, self._cache = paper, cache
        files = {path.stem: path for path in cached_images(paper, cache)}
        self.picks = picks or _default_picks(entry_folder(paper, cache))
        if not self.picks.exists():
            raise CryoccdError(
                f"{paper.identifier}: no reference picks in {self.picks}; put there "
                f"{paper.picks.origin}"
            )
        headers = {name: read_image_header(path) for name, path in files.items()}
        for name, header in headers.items():
            _check(paper, files[name], header)
        folder, how = next(iter(files.values())).parent, paper.picks
        self.table = ReferenceTable(
            self.picks, folder, headers, paper.pixel_size_A, how.scale, how.flip_y, how.threshold
        )
        if paper.check_pixel_size:
            self.table.check_pixel_size(paper.pixel_size_A)
        self.picks_px = self.table.picks_px()
        self.files = {name: path for name, path in files.items() if name in self.picks_px}
        self.without_picks = sorted(set(files) - set(self.files))
        if len(self.files) < 2:
            raise CryoccdError(
                f"{self.picks}: picks of {len(self.files)} of the {len(files)} micrographs that "
                "were fetched, expected 2 or more: one to fit on, one to test on"
            )

    def image(self, name: str) -> NDArray[np.float32]:
        """(h, w) mean of the frames.

        Raises:
            CryoccdError: the file was changed since it was fetched, or is refused.
        """
        check_intact(self.paper, self.files[name])
        return read_averaged(self.files[name], self._gain)[0]

    @cached_property
    def _gain(self) -> NDArray[np.float32] | None:
        images = self.paper.images
        if images.gain is None:
            return None
        path = entry_folder(self.paper, self._cache) / images.gain
        check_intact(self.paper, path)
        gain, _ = read_averaged(path)
        return gain[::-1] if images.gain_flip_y else gain


def _check(paper: PaperSet, path: Path, header: ImageHeader) -> None:
    """Refuse a micrograph that is not of the data set, by its header."""
    size_A = header.pixel_size_A
    wrong = size_A > 0 and not abs(size_A / paper.pixel_size_A - 1) <= _TOLERANCE
    if paper.check_pixel_size and wrong:
        raise CryoccdError(
            f"{path}: pixel size {size_A:g} A by its header, but pixel_size_A is "
            f"{paper.pixel_size_A:g}; mend it, or set check_pixel_size: false where the headers "
            "are wrong"
        )
    height, width = header.shape_px
    if paper.bin > 1:  # as binning cuts
        height, width = (side // (2 * paper.bin) * 2 for side in header.shape_px)
    if min(height, width) < paper.field_px:
        raise CryoccdError(
            f"{path}: {width} x {height} px after binning by {paper.bin}, expected "
            f"{paper.field_px} a side; mend bin or field_px"
        )


def _default_picks(folder: Path) -> Path:
    """`picks` or the one file picks.SUFFIX; `picks` where there is neither."""
    found = sorted(folder.glob("picks.*")) if folder.is_dir() else []
    return found[0] if len(found) == 1 and not (folder / "picks").exists() else folder / "picks"
