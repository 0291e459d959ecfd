"""A finished dataset folder, read."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import check_parquet, read_parquet
from cryoccd.io.dataset.finished import read_manifest
from cryoccd.io.dataset.tables import COLUMNS
from cryoccd.io.dataset.walk import walk_rows
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Exposure, Optics

_OPTICS_COLUMNS = tuple(Optics.__dataclass_fields__)


class Dataset:
    """A finished dataset folder, read.

    Every file is there with the size that the manifest tells, so that a fault shows before work
    begins and not in its middle.

    Raises:
        CryoccdError: no manifest (the folder is unfinished), one of another schema, a file that is
            absent or of another size, or a table that is unreadable or lacks columns.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = read_manifest(root)
        if not (root / "micrographs.parquet").is_file() and (root / "tilts.parquet").is_file():
            raise CryoccdError(f"{root}: holds tilt series, expected a set of micrographs")
        columns = ("micrograph", *_OPTICS_COLUMNS)
        self.micrographs = read_parquet(root / "micrographs.parquet", columns)
        for table, needed in COLUMNS.items():
            check_parquet(root / f"{table}.parquet", needed)

    @cached_property
    def particles(self) -> pd.DataFrame:
        """The truth of the whole set, read when it is first asked for."""
        return read_parquet(self.root / "particles.parquet", COLUMNS["particles"])

    @cached_property
    def artefacts(self) -> pd.DataFrame:
        """The artefacts of the whole set, read when they are first asked for."""
        return read_parquet(self.root / "artefacts.parquet", COLUMNS["artefacts"])

    @cached_property
    def _rows(self) -> dict[str, dict[str, NDArray[np.intp]]]:
        tables = {"particles": self.particles, "artefacts": self.artefacts}
        return {
            table: {
                str(name): np.asarray(rows)
                for name, rows in frame.groupby("micrograph").indices.items()
            }
            for table, frame in tables.items()
        }

    def walk(self, table: str = "particles") -> Iterator[tuple[str, pd.DataFrame]]:
        """Name and rows of each micrograph in table order, without holding the whole table."""
        yield from walk_rows(self.root / f"{table}.parquet", self.names)

    @property
    def synthetic(self) -> bool:
        """False for real micrographs whose picks were imported."""
        return bool(self.manifest.get("synthetic", True))

    @property
    def noise_free(self) -> bool:
        """Whether the micrographs are the clean images, by their checksums."""
        files, name = self.manifest["files"], self.names[0]
        clean = files.get(f"clean/{name}.mrc")
        return clean is not None and clean == files.get(f"micrographs/{name}.mrc")

    @property
    def names(self) -> list[str]:
        """Names of the micrographs in table order."""
        return list(self.micrographs["micrograph"])

    @property
    def pixel_size_A(self) -> float:
        """The one pixel size of the set."""
        sizes = self.micrographs["pixel_size_A"].unique()
        if len(sizes) != 1:
            raise CryoccdError(f"{self.root}: {len(sizes)} pixel sizes, expected one")
        return float(sizes[0])

    def optics(self, name: str) -> Optics:
        """Optics of one micrograph.

        Raises:
            CryoccdError: the table does not know them, as of real micrographs without a STAR file.
        """
        row = self.micrographs[self.micrographs["micrograph"] == name].iloc[0].to_dict()
        unknown = [column for column in _OPTICS_COLUMNS if np.isnan(row[column])]
        if unknown:
            raise CryoccdError(
                f"{self.root / 'micrographs.parquet'}: {name} has no {', '.join(unknown)}; import "
                "it with a micrographs.star that tells them"
            )
        return Optics(**{column: float(row[column]) for column in _OPTICS_COLUMNS})

    def particles_of(self, name: str) -> pd.DataFrame:
        """Truth rows of one micrograph; may be empty."""
        return self.particles.iloc[self._rows["particles"].get(name, [])].reset_index(drop=True)

    def artefacts_of(self, name: str) -> pd.DataFrame:
        """Rows of the artefacts of one micrograph; may be empty."""
        return self.artefacts.iloc[self._rows["artefacts"].get(name, [])].reset_index(drop=True)

    def image(self, name: str, kind: str = "micrographs") -> NDArray[np.float32]:
        """One image: micrographs, clean, instances or ice."""
        return read_mrc(self.root / kind / f"{name}.mrc", ndim=2)[0]

    def exposure(self, name: str) -> Exposure:
        """The exposure of one simulated micrograph, as it was written."""
        return Exposure(
            clean=torch.from_numpy(self.image(name, "clean")),
            instances=torch.from_numpy(self.image(name, "instances").astype(np.int32)),
            ice_thickness_A=torch.from_numpy(self.image(name, "ice")),
            particles=self.particles_of(name),
            optics=self.optics(name),
            artefacts=self.artefacts_of(name),
        )
