"""One real micrograph with its picks on the way to a dataset folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cryoccd
from cryoccd.io.atomic import link_or_copy
from cryoccd.io.dataset.item import Rows
from cryoccd.io.dataset.tables import COLUMNS
from cryoccd.io.mrc import write_mrc
from cryoccd.records import PARTICLE_COLUMNS


@dataclass(frozen=True)
class RealItem:
    """One micrograph to be written.

    Args:
        name: file stem.
        source: its file.
        values: (h, w) its values; None where the file can stand in the set as it is.
        optics: columns of Optics, NaN where unknown.
        particles: one row a pick with PARTICLE_COLUMNS.
        synthetic: whether the file says that it was simulated.
    """

    name: str
    source: Path
    values: NDArray[np.float32] | None
    optics: dict[str, float]
    particles: pd.DataFrame
    synthetic: bool = False

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that may be without rows."""
        return COLUMNS

    def write_files(self, root: Path) -> list[Path]:
        """Link or write the image below a folder."""
        path = root / "micrographs" / f"{self.name}.mrc"
        if self.values is None:
            link_or_copy(self.source, path)
        else:
            label = f"cryoccd {cryoccd.__version__} import of {self.name}"
            label = f"SYNTHETIC {label}" if self.synthetic else label
            write_mrc(path, self.values, self.optics["pixel_size_A"], label)
        return [path]

    def rows(self) -> Rows:
        """The item's part of each table."""
        row = {
            "micrograph": self.name,
            **self.optics,
            "dose_e_per_A2": float("nan"),
            "seed": 0,
            "style": "real",
        }
        records: list[dict[Any, Any]] = self.particles[list(PARTICLE_COLUMNS)].to_dict("records")
        particles = [{"micrograph": self.name, **record} for record in records]
        return {"micrographs": [row], "particles": particles, "artefacts": []}
