"""A plain folder of micrographs, written file by file.

The optics are written last, so that a folder that has them is whole.

    FOLDER/micrographs/NAME.mrc, picks/NAME.csv, split.csv, optics.yaml
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from cryoccd.io.atomic import write_text
from cryoccd.io.folder_optics import FolderOptics
from cryoccd.io.mrc import write_mrc


class FolderWriter:
    """Writes the files of a plain folder.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def finished(self) -> bool:
        """Whether the folder is whole."""
        return (self.root / "optics.yaml").is_file()

    def has(self, name: str) -> bool:
        """Whether a micrograph was written with its picks."""
        return self._picks(name).is_file() and self._image(name).is_file()

    def write(
        self,
        name: str,
        image: NDArray[np.float32],
        pixel_size_A: float,
        picks_px: NDArray[np.float64],
        label: str,
    ) -> None:
        """Write one (h, w) micrograph and its (n, 2) picks x, y."""
        write_mrc(self._image(name), image, pixel_size_A, label)
        rows = [("x_px", "y_px"), *(tuple(row) for row in picks_px.tolist())]
        write_text(self._picks(name), _csv(rows))

    def finish(self, split: Mapping[str, str], optics: FolderOptics) -> None:
        """Write the split by name, and the optics."""
        write_text(self.root / "split.csv", _csv([("micrograph", "split"), *split.items()]))
        values = {**asdict(optics), "defocus_A": list(optics.defocus_A)}
        write_text(self.root / "optics.yaml", yaml.safe_dump(values))

    def _image(self, name: str) -> Path:
        return self.root / "micrographs" / f"{name}.mrc"

    def _picks(self, name: str) -> Path:
        return self.root / "picks" / f"{name}.csv"


def _csv(rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
