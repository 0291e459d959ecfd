"""Reference picks of some micrographs out of a file that has those of more."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.image_header import ImageHeader
from cryoccd.io.imports.centres import centres_px
from cryoccd.io.imports.quarantine import check_share, faults_of
from cryoccd.io.imports.rows import gather, match
from cryoccd.io.picks import read_pick_tables

_SIZE = "micrograph_pixel_size_A"
_TOLERANCE = 0.01


class ReferenceTable:
    """Usable picks of the micrographs at hand, by any format that is imported.

    Args:
        path: file or folder of picks; those of other micrographs are left out without a word.
        folder: of the micrographs, for messages.
        headers: by name of the micrograph.
        pixel_size_A: of the micrographs.
        scale: pixels of the micrograph per pixel of the picks.
        flip_y: whether the picks count rows from the last one.
        threshold: largest share of picks that may be unusable.

    Raises:
        CryoccdError: a file is refused, no pick is of a micrograph at hand, or too many picks
            cannot be used.
    """

    def __init__(
        self,
        path: Path,
        folder: Path,
        headers: dict[str, ImageHeader],
        pixel_size_A: float,
        scale: float = 1.0,
        flip_y: bool = False,
        threshold: float = 0.01,
    ) -> None:
        rows = match(gather(read_pick_tables(path)), list(headers), path, folder)
        rows = rows[rows["micrograph"] != ""].reset_index(drop=True)
        rows[["at_x_px", "at_y_px"]] = centres_px(rows, headers, pixel_size_A, scale, flip_y)
        faults = faults_of(rows, headers)
        check_share(rows, faults, threshold)
        self.path = path
        self._rows: pd.DataFrame = rows[faults == ""]

    def picks_px(self) -> dict[str, NDArray[np.float64]]:
        """(n, 2) x, y from the centre of pixel [0, 0] of each micrograph that has picks."""
        return {
            str(name): group[["at_x_px", "at_y_px"]].to_numpy(np.float64)
            for name, group in self._rows.groupby("micrograph")
        }

    def check_pixel_size(self, pixel_size_A: float) -> None:
        """Refuse picks on micrographs of another pixel size, where they tell one.

        Raises:
            CryoccdError: it differs by more than 1 %.
        """
        if _SIZE not in self._rows:
            return
        for size_A in self._rows[_SIZE].dropna().unique():
            if not abs(float(size_A) / pixel_size_A - 1) <= _TOLERANCE:
                raise CryoccdError(
                    f"{self.path}: pixel size {size_A:g} A by rlnMicrographPixelSize, but "
                    f"pixel_size_A is {pixel_size_A:g}; mend it, or set picks.scale and "
                    "check_pixel_size: false"
                )

    def defocus_A(self) -> tuple[float, float]:
        """Least and largest mean defocus that the picks tell.

        Raises:
            CryoccdError: they tell none.
        """
        columns = ["defocus_u_A", "defocus_v_A"]
        if set(columns) <= set(self._rows.columns):
            mean_A = self._rows[columns].mean(axis=1, skipna=False).dropna()
            if len(mean_A):
                return float(mean_A.min()), float(mean_A.max())
        raise CryoccdError(
            f"{self.path}: no rlnDefocusU and rlnDefocusV; write microscope.defocus_A: [low, high]"
        )
