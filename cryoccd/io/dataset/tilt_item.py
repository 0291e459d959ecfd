"""One tilt series and its tomogram on their way to a dataset folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.io.dataset.item import Rows, seed_label
from cryoccd.io.dataset.tables import SUBTOMOGRAM_COLUMNS
from cryoccd.io.mrc import write_mrc, write_stack


@dataclass(frozen=True)
class TiltItem:
    """One tilt series to be written.

    Args:
        name: file stem.
        seed: seed that made it.
        images: (t, h, w) the tilts, ascending.
        pixel_size_A: of the images.
        tomogram: (z, y, x) their reconstruction.
        voxel_size_A: of the tomogram.
        tilts: one row an image.
        particles: one row a particle, with SUBTOMOGRAM_COLUMNS but the name.
        settings: voltage, aberration and what else holds for all tilts.
        denoised: (z, y, x) the tomogram after a denoiser, if there is one.
    """

    name: str
    seed: int
    images: NDArray[np.float32]
    pixel_size_A: float
    tomogram: NDArray[np.float32]
    voxel_size_A: float
    tilts: pd.DataFrame
    particles: pd.DataFrame
    settings: dict[str, float]
    denoised: NDArray[np.float32] | None = None

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that may be without rows."""
        return {"particles": SUBTOMOGRAM_COLUMNS}

    def write_files(self, root: Path) -> list[Path]:
        """Write the stack and the tomogram below a folder."""
        label = seed_label(self.seed)
        stack = root / "tilts" / f"{self.name}.mrcs"
        tomogram = root / "tomograms" / f"{self.name}.mrc"
        write_stack(stack, self.images.astype(np.float32), self.pixel_size_A, label)
        write_mrc(tomogram, self.tomogram.astype(np.float32), self.voxel_size_A, label)
        if self.denoised is None:
            return [stack, tomogram]
        denoised = root / "denoised" / f"{self.name}.mrc"
        write_mrc(denoised, self.denoised.astype(np.float32), self.voxel_size_A, label)
        return [stack, tomogram, denoised]

    def rows(self) -> Rows:
        """The item's part of each table."""
        whole = {
            **self.settings,
            "pixel_size_A": self.pixel_size_A,
            "voxel_size_A": self.voxel_size_A,
            "seed": self.seed,
        }
        return {
            "tomograms": [{"tomogram": self.name, **whole}],
            "tilts": self._named(self.tilts),
            "particles": self._named(self.particles),
        }

    def _named(self, table: pd.DataFrame) -> list[dict[str, Any]]:
        records: list[dict[Any, Any]] = table.to_dict(orient="records")
        return [{"tomogram": self.name, **record} for record in records]
