"""One composed tomogram, which has no tilt series, on its way to a dataset folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.io.dataset.item import Rows, seed_label
from cryoccd.io.dataset.tables import SUBTOMOGRAM_COLUMNS
from cryoccd.io.mrc import write_mrc


@dataclass(frozen=True)
class TomogramItem:
    """One tomogram to be written.

    Args:
        name: file stem.
        seed: seed that made it.
        tomogram: (z, y, x) its voxels.
        voxel_size_A: edge of a voxel.
        particles: one row a particle, with SUBTOMOGRAM_COLUMNS but the name; z_A counts from slice
            d // 2; angles are NaN where the pose is not known.
    """

    name: str
    seed: int
    tomogram: NDArray[np.float32]
    voxel_size_A: float
    particles: pd.DataFrame

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that may be without rows."""
        return {"particles": SUBTOMOGRAM_COLUMNS}

    def write_files(self, root: Path) -> list[Path]:
        """Write the tomogram below a folder."""
        path = root / "tomograms" / f"{self.name}.mrc"
        values = self.tomogram.astype(np.float32)
        write_mrc(path, values, self.voxel_size_A, seed_label(self.seed))
        return [path]

    def rows(self) -> Rows:
        """The item's part of each table."""
        row = {"tomogram": self.name, "voxel_size_A": self.voxel_size_A, "seed": self.seed}
        table = self.particles.assign(tomogram=self.name)[list(SUBTOMOGRAM_COLUMNS)]
        records: list[dict[Any, Any]] = table.to_dict(orient="records")
        return {"tomograms": [row], "particles": records}
