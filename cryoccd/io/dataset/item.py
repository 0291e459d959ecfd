"""One micrograph on its way to a dataset folder: its files and its rows."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import link_or_copy
from cryoccd.io.dataset.tables import COLUMNS
from cryoccd.io.mrc import write_mrc, write_stack
from cryoccd.records import ARTEFACT_COLUMNS, PARTICLE_COLUMNS, Exposure

Rows = dict[str, list[dict[str, Any]]]
"""Rows of an item by the name of their table."""


@dataclass(frozen=True)
class Item:
    """One micrograph to be written.

    Args:
        name: file stem.
        exposure: the clean image and its truth.
        seed: seed that made it.
        image: (h, w) image with noise; None where no noise model was applied.
        dose_e_per_A2: total exposure, NaN where none was applied.
        style: name of the acquisition style.
        frames: (f, h, w) frames of a movie; without dose weights their sum is `image`.
    """

    name: str
    exposure: Exposure
    seed: int
    image: NDArray[np.float32] | None = None
    dose_e_per_A2: float = float("nan")
    style: str = "none"
    frames: NDArray[np.float32] | None = None

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that may be without rows."""
        return COLUMNS

    def write_files(self, root: Path) -> list[Path]:
        """Write the images below a folder.

        Raises:
            CryoccdError: more instances than 16 bits can count.
        """
        exposure, label = self.exposure, seed_label(self.seed)
        pixel_size_A = exposure.optics.pixel_size_A
        most = int(exposure.instances.max())
        if most > np.iinfo(np.uint16).max:
            raise CryoccdError(
                f"{self.name}: {most} instances, expected at most 65535 in a micrograph; lower "
                "the number of particles"
            )
        kinds = ("clean", "micrographs", "instances", "ice")
        clean, image, instances, ice = (root / kind / f"{self.name}.mrc" for kind in kinds)
        write_mrc(clean, exposure.clean.numpy(), pixel_size_A, label)
        if self.image is None:
            link_or_copy(clean, image)
        else:
            write_mrc(image, self.image.astype(np.float32), pixel_size_A, label)
        write_mrc(instances, exposure.instances.numpy().astype(np.uint16), pixel_size_A, label)
        write_mrc(ice, exposure.ice_thickness_A.numpy(), 8 * pixel_size_A, label)
        paths = [clean, image, instances, ice]
        if self.frames is not None:
            paths.append(root / "movies" / f"{self.name}.mrcs")
            write_stack(paths[-1], self.frames.astype(np.float32), pixel_size_A, label)
        return paths

    def rows(self) -> Rows:
        """The item's part of each table."""
        row = {
            **asdict(self.exposure.optics),
            "dose_e_per_A2": self.dose_e_per_A2,
            "seed": self.seed,
            "style": self.style,
        }
        return {
            "micrographs": [{"micrograph": self.name, **row}],
            "particles": self._truth(self.exposure.particles, PARTICLE_COLUMNS),
            "artefacts": self._truth(self.exposure.artefacts, ARTEFACT_COLUMNS),
        }

    def _truth(self, table: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
        records: list[dict[Any, Any]] = table.loc[:, list(columns)].to_dict(orient="records")
        return [{"micrograph": self.name, **record} for record in records]


def seed_label(seed: int) -> str:
    """The label of every image that a seed made."""
    return f"SYNTHETIC cryoccd {cryoccd.__version__} seed {seed}"
