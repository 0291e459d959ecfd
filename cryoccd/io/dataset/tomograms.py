"""A finished dataset folder of tilt series, read."""

from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import check_parquet, read_parquet
from cryoccd.io.dataset.finished import read_manifest
from cryoccd.io.dataset.tables import SUBTOMOGRAM_COLUMNS
from cryoccd.io.mrc import read_mrc


class TomogramSet:
    """A finished dataset folder that holds tilt series and their tomograms.

    Raises:
        CryoccdError: an unfinished or damaged folder (see `read_manifest`), a set of micrographs,
            a table that is unreadable or lacks columns, or a tomogram without its file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = read_manifest(root)
        table = root / "tomograms.parquet"
        if not table.is_file() and (root / "micrographs.parquet").is_file():
            raise CryoccdError(
                f"{root}: holds micrographs, expected tilt series; simulate them with tilts"
            )
        self.tomograms = read_parquet(table, ("tomogram", "voxel_size_A"))
        check_parquet(root / "particles.parquet", SUBTOMOGRAM_COLUMNS)
        for name in self.names:
            # the name becomes that of folders: it must be one, and that of a file of the set
            plain = PurePosixPath(name).name == name and name not in ("", ".", "..")
            if not plain or f"tomograms/{name}.mrc" not in self.manifest["files"]:
                raise CryoccdError(
                    f"{table}: tomogram {name!r} is no file that manifest.json lists; make the "
                    "set again in an empty folder"
                )

    @property
    def names(self) -> list[str]:
        """Names of the tomograms in table order."""
        return [str(name) for name in self.tomograms["tomogram"]]

    @property
    def voxel_size_A(self) -> float:
        """The one voxel size of the set."""
        sizes = self.tomograms["voxel_size_A"].unique()
        if len(sizes) != 1 or not sizes[0] > 0:
            raise CryoccdError(
                f"{self.root / 'tomograms.parquet'}: voxel_size_A {list(map(float, sizes))}, "
                "expected one size above 0; make the set again"
            )
        return float(sizes[0])

    @cached_property
    def particles(self) -> pd.DataFrame:
        """The truth of the whole set, read when it is first asked for."""
        return read_parquet(self.root / "particles.parquet", SUBTOMOGRAM_COLUMNS)

    @cached_property
    def _rows(self) -> dict[str, NDArray[np.intp]]:
        indices = self.particles.groupby("tomogram").indices
        return {str(name): np.asarray(rows) for name, rows in indices.items()}

    def particles_of(self, name: str) -> pd.DataFrame:
        """Truth rows of one tomogram; may be empty."""
        return self.particles.iloc[self._rows.get(name, [])].reset_index(drop=True)

    def volume(self, name: str) -> NDArray[np.float32]:
        """(d, h, w) one tomogram, axes z, y, x; the middle of the ice is slice d // 2."""
        return read_mrc(self.root / "tomograms" / f"{name}.mrc", ndim=3)[0]

    @property
    def denoised(self) -> bool:
        """Whether denoised/NAME.mrc lies beside every tomogram."""
        return all(f"denoised/{name}.mrc" in self.manifest["files"] for name in self.names)

    @property
    def species_maps(self) -> dict[str, Path]:
        """Maps of the species by their name, SPECIES or SPECIES-CONFORMATION."""
        paths = [PurePosixPath(name) for name in self.manifest["files"]]
        return {path.stem: self.root / path for path in paths if path.parts[:1] == ("species",)}
