"""One generated box of a tomogram on its way to a dataset folder."""

from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cryoccd.io.dataset.item import Rows, seed_label
from cryoccd.io.mrc import write_mrc

Three = tuple[float, float, float]

UNKNOWN: Three = (nan, nan, nan)

BOX_COLUMNS = (
    "box",
    "class",
    "x",
    "y",
    "z",
    "rot_deg",
    "tilt_deg",
    "psi_deg",
    "offset_x_px",
    "offset_y_px",
    "offset_z_px",
    "tomogram",
    "seed",
)
"""Columns of the table of boxes."""


@dataclass(frozen=True)
class BoxItem:
    """One box to be written.

    Args:
        name: file stem.
        label: class of the particle in its middle.
        seed: seed that made it.
        volume: (b, b, b) float32.
        voxel_size_A: edge of a voxel.
        position: x, y, z of the middle as shares of a tomogram's extent, as the model was told.
        angles_deg: rot, tilt, psi of the particle, NaN where the model was not told.
        offset_px: x, y, z of the particle from voxel b // 2, NaN likewise.
        tomogram: that the density was taken from, empty where the model was told none.
        density: (b, b, b) noise-free density that the model was told.
    """

    name: str
    label: str
    seed: int
    volume: NDArray[np.float32]
    voxel_size_A: float
    position: Three
    angles_deg: Three = UNKNOWN
    offset_px: Three = UNKNOWN
    tomogram: str = ""
    density: NDArray[np.float32] | None = None

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that may be without rows."""
        return {"boxes": BOX_COLUMNS}

    def write_files(self, root: Path) -> list[Path]:
        """Write the box, and its density where there is one, below a folder."""
        volumes = {"boxes": self.volume, "densities": self.density}
        paths = []
        for kind, values in volumes.items():
            if values is not None:
                paths.append(root / kind / f"{self.name}.mrc")
                values = values.astype(np.float32)
                write_mrc(paths[-1], values, self.voxel_size_A, seed_label(self.seed))
        return paths

    def rows(self) -> Rows:
        """The item's row."""
        numbers = (*self.position, *self.angles_deg, *self.offset_px)
        values = (self.name, self.label, *map(float, numbers), self.tomogram, self.seed)
        return {"boxes": [dict(zip(BOX_COLUMNS, values, strict=True))]}
