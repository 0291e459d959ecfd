"""A folder of micrographs, whatever made it: images, picks, split, pixel size and optics.

Three kinds are read: a dataset folder of this project, a folder with micrographs/ (and picks/,
split.csv, optics.yaml or micrographs.star beside it), and a folder that itself holds images.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_optics import OPTICS_KEYS, FolderOptics, read_optics_yaml
from cryoccd.io.folder_sources import DatasetSource, FolderSource, PlainSource
from cryoccd.io.folder_tables import SPLITS, read_split

__all__ = ["FolderOptics", "MicrographFolder", "open_folder"]

_TOLERANCE = 0.01


class MicrographFolder:
    """Micrographs of one pixel size; open_folder makes it.

    Args:
        root: the folder.
        source: reader of its kind.
        pixel_size_A: pixel size where the files have none; where they have one, it must agree.
    """

    def __init__(self, root: Path, source: FolderSource, pixel_size_A: float | None = None) -> None:
        self.root = root
        self._source = source
        split, optics = root / "split.csv", root / "optics.yaml"
        self._split = read_split(split, source.names) if split.is_file() else None
        self._yaml: dict[str, Any] = read_optics_yaml(optics) if optics.is_file() else {}
        self._shapes: dict[str, tuple[int, int]] = {}
        self._pixel_size: tuple[str, float] | None = None
        if pixel_size_A is not None:
            self._note_pixel_size(f"{root}: argument pixel_size_A", pixel_size_A)
        for origin, values in ((str(optics), self._yaml), (str(root), source.optics)):
            if "pixel_size_A" in values:
                self._note_pixel_size(origin, values["pixel_size_A"])

    def names(self, split: str | None = None) -> list[str]:
        """Sorted names, of one split ("train" or "test") or of all.

        Raises:
            CryoccdError: a split is asked for and there is no split.csv, or it is empty.
        """
        if split is None:
            return list(self._source.names)
        if split not in SPLITS:
            raise CryoccdError(f"split = {split!r}, expected train or test")
        if self._split is None:
            raise CryoccdError(f"{self.root}: no split.csv (columns micrograph,split)")
        names = [name for name in self._source.names if self._split[name] == split]
        if not names:
            raise CryoccdError(f"{self.root / 'split.csv'}: no micrograph of the split {split}")
        return names

    def image(self, name: str) -> NDArray[np.float32]:
        """(h, w) values as they are in the file."""
        if name not in self._source.names:
            raise CryoccdError(f"{self.root}: no micrograph named {name}")
        values, pixel_size_A = self._source.read(name)
        if pixel_size_A > 0:
            self._note_pixel_size(str(self._source.path(name)), pixel_size_A)
        self._shapes[name] = (values.shape[0], values.shape[1])
        return values

    def path(self, name: str) -> Path:
        """File of a micrograph."""
        return self._source.path(name)

    def picks_px(self, name: str) -> NDArray[np.float64] | None:
        """(n, 2) x, y from the centre of pixel [0, 0]; None where the folder has no picks."""
        if not self.has_picks:
            return None
        if name not in self._shapes:
            self.image(name)
        return self._source.picks_px(name, self._shapes[name])

    @property
    def has_picks(self) -> bool:
        """Whether the folder carries picks."""
        return self._source.has_picks

    @property
    def has_split(self) -> bool:
        """Whether the folder has a split.csv."""
        return self._split is not None

    @property
    def pixel_size_A(self) -> float:
        """The one pixel size; argument, optics.yaml, tables and headers agree within 1 %."""
        if not self._shapes:
            self.image(self._source.names[0])
        if self._pixel_size is None:
            raise CryoccdError(
                f"{self.root}: no pixel size in the headers; give pixel_size_A in optics.yaml"
            )
        return self._pixel_size[1]

    @property
    def known_optics(self) -> dict[str, Any]:
        """Those keys of FolderOptics that optics.yaml, micrographs.star or the tables tell."""
        return self._source.optics | self._yaml

    def optics(self) -> FolderOptics:
        """Optics from optics.yaml, completed by micrographs.star or the dataset's tables.

        Raises:
            CryoccdError: a key is missing or out of range.
        """
        values = self.known_optics
        # the pixel size may stand in the headers alone
        missing = [key for key in OPTICS_KEYS if key not in values and key != "pixel_size_A"]
        if missing:
            raise CryoccdError(
                f"{self.root}: optics lack {', '.join(missing)}; write them into optics.yaml"
            )
        try:
            return FolderOptics(**{**values, "pixel_size_A": self.pixel_size_A})
        except CryoccdError as error:
            raise CryoccdError(f"{self.root}: optics: {error}") from error

    def measured_diameter_A(self) -> float | None:
        """Diameter of a particle by its labels; None where there are none."""
        diameter_px = self._source.diameter_px()
        return None if diameter_px is None else diameter_px * self.pixel_size_A

    def _note_pixel_size(self, origin: str, pixel_size_A: float) -> None:
        if not 0 < pixel_size_A < float("inf"):
            raise CryoccdError(f"{origin}: pixel size {pixel_size_A:g}, expected angstrom above 0")
        if self._pixel_size is None:
            self._pixel_size = (origin, pixel_size_A)
        known_by, known_A = self._pixel_size
        if abs(pixel_size_A / known_A - 1) > _TOLERANCE:
            raise CryoccdError(
                f"{origin}: pixel size {pixel_size_A:g} A, but {known_A:g} A by {known_by}; "
                "mend the wrong one"
            )


def open_folder(root: Path, pixel_size_A: float | None = None) -> MicrographFolder:
    """Open a folder of micrographs of any of the three kinds.

    Args:
        root: the folder.
        pixel_size_A: pixel size where the files have none.

    Raises:
        CryoccdError: no such folder, an unfinished dataset folder, no images or mixed kinds, or a
            faulty split.csv, optics.yaml or micrographs.star.
    """
    if not root.is_dir():
        raise CryoccdError(f"{root}: no such folder")
    if (root / "manifest.json").is_file():
        return MicrographFolder(root, DatasetSource(root), pixel_size_A)
    unfinished = [kind for kind in (".items", "clean", "instances") if (root / kind).is_dir()]
    if unfinished:
        raise CryoccdError(
            f"{root}: holds {unfinished[0]}/ but no manifest.json, an unfinished dataset folder; "
            "run the command that makes it again with --resume"
        )
    return MicrographFolder(root, PlainSource(root), pixel_size_A)
